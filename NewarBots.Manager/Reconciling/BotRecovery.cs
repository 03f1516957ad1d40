using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Recreates the record of a bot from its container and its journal. Without a container only the id and the user are known, from
/// the folder's path; the meeting stays unknown.
/// </summary>
internal sealed partial class BotRecovery(
    IRecorderContainers containers,
    SessionFolders folders,
    BotRecordRecovery recovery,
    BotFollower follower,
    MeetingUrlPolicy policy,
    TimeProvider time,
    ILogger<BotRecovery> logger)
{
    private static readonly Uri UnknownMeeting = new("about:blank");

    /// <returns>The recovered bot; <see langword="null"/> if it was deleted or recovered by another manager in the meantime.</returns>
    public async Task<Bot?> RecoverAsync(Reconciliation.RecoverBot found, CancellationToken cancellation)
    {
        var origin = await containers.FindOriginAsync(found.Id, cancellation);
        if (origin is null && !folders.Exists(found.UserId, found.Id))
            return null;
        var bot = BuildRecord(found, origin);
        if (!await recovery.AdoptAsync(bot))
            return null;
        Log.Recovered(logger, bot.Id, bot.UserId, bot.MeetingUrl);
        return await follower.ReadToEndAsync(bot.Id);
    }

    private Bot BuildRecord(Reconciliation.RecoverBot found, RecorderOrigin? origin)
    {
        var madeAt = found.Id.MadeAt ?? time.GetUtcNow();
        var meeting = origin?.Environment.MeetingUrl ?? UnknownMeeting;
        return new()
        {
            Id = found.Id,
            UserId = found.UserId,
            Status = BotStatus.Launching,
            MeetingUrl = meeting,
            Platform = policy.Check(meeting.AbsoluteUri).Platform,
            BotName = origin?.Environment.BotName ?? CreateBotRequest.DefaultBotName,
            Leave = origin?.Environment.Leave ?? new(),
            Metadata = origin?.Metadata ?? new Dictionary<string, string>(),
            TraceParent = origin?.Environment.TraceParent,
            CreatedAt = madeAt,
            // Not launched yet: the launcher starts the created container.
            LaunchedAt = found.Container is RecorderContainerState.Created ? null : madeAt,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Recovered bot {SessionId} of user {UserId} in {Meeting}, which had no record")]
        public static partial void Recovered(ILogger logger, SessionId sessionId, UserId userId, Uri meeting);
    }
}
