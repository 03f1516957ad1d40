using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Recreates the record of an ended bot from the manifest beside its recording, after Redis was emptied. The manifest holds nearly
/// everything that the record held.
/// </summary>
internal sealed partial class RecordingRecovery(
    FinalFiles finals, StorageLayout storage, BotCommands commands, BotRecordRecovery recovery, ILogger<RecordingRecovery> logger)
{
    /// <summary>Most recordings to recover in one reconciliation, the newest first. The next reconciliation continues.</summary>
    public const int BatchSize = 500;

    /// <summary>Sessions with an invalid manifest or without a recording. They are not tried again.</summary>
    private readonly HashSet<SessionId> _invalid = [];

    /// <summary>Finished recordings without a record.</summary>
    public async Task<IReadOnlyList<FinalSession>> FindUnrecordedAsync()
    {
        var recordings = finals.List().Where(final => final.HasManifest && !_invalid.Contains(final.Id)).ToLookup(final => final.Id);
        var unknown = await recovery.UnknownAsync(recordings.Select(final => final.Key).OrderDescending(), BatchSize);
        return [.. unknown.Select(id => recordings[id].First())];
    }

    public async Task RecoverAsync(Reconciliation.RecoverRecording found)
    {
        var manifest = TryRead(found);
        var recording = new FileInfo(storage.Recording(found.UserId, found.Id));
        if (manifest is null || manifest.SessionId != found.Id || manifest.UserId != found.UserId || !recording.Exists || recording.Length != manifest.Bytes)
        {
            _invalid.Add(found.Id);
            Log.Invalid(logger, found.Id, found.UserId);
            return;
        }

        var bot = BuildRecord(manifest, new DateTimeOffset(recording.LastWriteTimeUtc)) with { Transcript = FindTranscript(found) };
        if (!await recovery.AdoptAsync(bot))
            return;
        Log.Recovered(logger, bot.Id, bot.UserId);
        // Another manager that already had the record may have deleted the bot in the meantime.
        recording.Refresh();
        if (!recording.Exists)
            await commands.DeleteAsync(bot);
    }

    private RecordingManifest? TryRead(Reconciliation.RecoverRecording found)
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

    /// <summary>Nothing on disk says whether a transcript was pending.</summary>
    private BotTranscript? FindTranscript(Reconciliation.RecoverRecording found)
    {
        try
        {
            return Transcript.TryRead(storage.Transcript(found.UserId, found.Id)) is { } transcript
                ? new(TranscriptStatus.Completed) { Language = transcript.Language, Model = transcript.Model }
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Bot BuildRecord(RecordingManifest manifest, DateTimeOffset writtenAt) => new()
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
        Retention = manifest.Retention is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        CreatedAt = manifest.SessionId.MadeAt ?? manifest.StartedAt ?? writtenAt,
        RecordingAt = manifest.StartedAt,
        EndedAt = manifest.EndedAt ?? writtenAt,
        Chunks = manifest.Chunks.Count,
        RecordedSeconds = manifest.DurationSeconds,
        AudibleSeconds = manifest.AudibleSeconds,
        Speakers = manifest.ToSpeakers(),
        Recording = manifest.ToRecording(),
        EndedCleanly = manifest.Complete,
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Recovered the record of recording {SessionId} of user {UserId} from its manifest")]
        public static partial void Recovered(ILogger logger, SessionId sessionId, UserId userId);

        [LoggerMessage(LogLevel.Warning, "Recording {SessionId} of user {UserId} has no record and no valid manifest, its files are kept")]
        public static partial void Invalid(ILogger logger, SessionId sessionId, UserId userId);
    }
}
