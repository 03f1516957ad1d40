using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Makes a record again of a bot that Redis has forgotten. What it is, its container says; what it has done, its journal. Where
/// there is no container any more, the folder's place still says its id and its user, and nobody knows the meeting.
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

    /// <returns>The bot, as far as it has come; <see langword="null"/> where it was deleted, or adopted by somebody else, meanwhile.</returns>
    public async Task<Bot?> AdoptAsync(Reconciliation.Adopt found, CancellationToken cancellation)
    {
        var origin = await containers.FindOriginAsync(found.Id, cancellation);
        if (origin is null && !folders.Exists(found.UserId, found.Id))
            return null;
        var bot = Recall(found, origin);
        if (!await recovery.AdoptAsync(bot))
            return null;
        Log.Adopted(logger, bot.Id, bot.UserId, bot.MeetingUrl);
        return await follower.ReadJournalAsync(bot);
    }

    private Bot Recall(Reconciliation.Adopt found, RecorderOrigin? origin)
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
            // One that was made and never started is the launcher's to start.
            LaunchedAt = found.Container is RecorderContainerState.Created ? null : madeAt,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Bot {SessionId} of user {UserId} in {Meeting} was on no record and is taken up again as it was found")]
        public static partial void Adopted(ILogger logger, SessionId sessionId, UserId userId, Uri meeting);
    }
}
