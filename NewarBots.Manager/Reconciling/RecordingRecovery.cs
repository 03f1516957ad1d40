using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Makes a record again of a bot that had ended when Redis was emptied: its manifest, beside the recording, says nearly all that the
/// record did.
/// </summary>
internal sealed partial class RecordingRecovery(FinalFiles finals, StorageLayout storage, BotCommands commands, BotRecordRecovery recovery, ILogger<RecordingRecovery> logger)
{
    /// <summary>So many in one reconciliation, the newest first; where there are more, the next one follows at once.</summary>
    public const int AtOnce = 500;

    /// <summary>What has a manifest's name and is none, or has lost its recording.</summary>
    private readonly HashSet<SessionId> _unreadable = [];

    /// <summary>Finished recordings that are on no record.</summary>
    public async Task<IReadOnlyList<FinalSession>> ForgottenAsync()
    {
        var there = finals.List().Where(final => final.HasManifest && !_unreadable.Contains(final.Id)).ToLookup(final => final.Id);
        var unknown = await recovery.UnknownAsync(there.Select(final => final.Key).OrderDescending(), AtOnce);
        return [.. unknown.Select(id => there[id].First())];
    }

    public async Task AdoptAsync(Reconciliation.Recall found)
    {
        var manifest = TryRead(found);
        var recording = new FileInfo(storage.Recording(found.UserId, found.Id));
        if (manifest is null || manifest.SessionId != found.Id || manifest.UserId != found.UserId || !recording.Exists || recording.Length != manifest.Bytes)
        {
            _unreadable.Add(found.Id);
            Log.Unreadable(logger, found.Id, found.UserId);
            return;
        }

        var bot = Recall(manifest, new DateTimeOffset(recording.LastWriteTimeUtc));
        if (!await recovery.AdoptAsync(bot))
            return;
        Log.Adopted(logger, bot.Id, bot.UserId);
        // Deleted meanwhile, by another manager that had it on record already.
        recording.Refresh();
        if (!recording.Exists)
            await commands.DeleteAsync(bot);
    }

    private RecordingManifest? TryRead(Reconciliation.Recall found)
    {
        try
        {
            return RecordingManifest.TryRead(storage.Manifest(found.UserId, found.Id));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Bot Recall(RecordingManifest manifest, DateTimeOffset writtenAt) => new()
    {
        Id = manifest.SessionId,
        UserId = manifest.UserId,
        Status = BotStatus.Completed,
        Reason = manifest.Reason,
        MeetingUrl = manifest.MeetingUrl,
        Platform = manifest.Platform,
        BotName = manifest.BotName,
        Leave = new(),
        Metadata = manifest.Metadata,
        CreatedAt = manifest.SessionId.MadeAt ?? manifest.StartedAt ?? writtenAt,
        RecordingAt = manifest.StartedAt,
        EndedAt = manifest.EndedAt ?? writtenAt,
        Chunks = manifest.Chunks.Count,
        RecordedSeconds = manifest.DurationSeconds,
        AudibleSeconds = manifest.AudibleSeconds,
        Recording = new(manifest.Format, manifest.Bytes, manifest.DurationSeconds, manifest.Complete),
        EndedCleanly = manifest.Complete,
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The recording {SessionId} of user {UserId} was on no record and is on one again, as its manifest says")]
        public static partial void Adopted(ILogger logger, SessionId sessionId, UserId userId);

        [LoggerMessage(LogLevel.Warning, "What lies beside the recording {SessionId} of user {UserId} is not its manifest: it stays, and is on no record")]
        public static partial void Unreadable(ILogger logger, SessionId sessionId, UserId userId);
    }
}
