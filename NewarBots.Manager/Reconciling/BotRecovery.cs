using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Recreates the record of a bot from what was remembered at its launch, and its journal. Without the former only the id and the user are known, from the
/// folder's path or the container; the meeting stays unknown.
/// </summary>
internal sealed partial class BotRecovery(
    IRecorderRuntime runtime,
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
        if (!folders.Exists(found.UserId, found.Id) && await runtime.FindAsync(found.Id, cancellation) is null)
            return null;
        var bot = BuildRecord(found);
        if (!await recovery.AdoptAsync(bot))
            return null;
        Log.Recovered(logger, bot.Id, bot.UserId, bot.MeetingUrl);
        return await follower.ReadToEndAsync(bot.Id);
    }

    private Bot BuildRecord(Reconciliation.RecoverBot found)
    {
        // Not launched yet: the launcher starts the created container.
        var isLaunched = found.Container is not RecorderContainerState.Created;
        if (folders.Recall(found.UserId, found.Id) is var (record, launchedAt))
        {
            if (BotRecords.TryDeserialize(found.Id, record) is { } remembered && remembered.UserId == found.UserId)
                return remembered with { LaunchedAt = isLaunched ? launchedAt : null };
            Log.Unreadable(logger, found.Id);
        }

        var madeAt = found.Id.MadeAt ?? time.GetUtcNow();
        return new()
        {
            Id = found.Id,
            UserId = found.UserId,
            Status = BotStatus.Launching,
            MeetingUrl = UnknownMeeting,
            Platform = policy.Check(UnknownMeeting.AbsoluteUri).Platform,
            BotName = CreateBotRequest.DefaultBotName,
            Leave = new(),
            CreatedAt = madeAt,
            LaunchedAt = isLaunched ? madeAt : null,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The record that was kept at the launch of bot {SessionId} is invalid, so its meeting is unknown")]
        public static partial void Unreadable(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "Recovered bot {SessionId} of user {UserId} in {Meeting}, which had no record")]
        public static partial void Recovered(ILogger logger, SessionId sessionId, UserId userId, Uri meeting);
    }
}
