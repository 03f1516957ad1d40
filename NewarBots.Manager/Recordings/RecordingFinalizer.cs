using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Makes the recording of a session: reads the chunks, assembles and decodes them, publishes the result, and only then deletes the
/// chunks. Idempotent: an attempt interrupted anywhere can be repeated with the same result. Once the manifest is published, a repeat
/// only cleans up.
/// </summary>
internal sealed partial class RecordingFinalizer(
    StorageLayout storage,
    SessionFolders folders,
    AssemblyProcess assembly,
    DoubtedRecordings doubts,
    EvidenceFolder evidence,
    ClockSetBack clock,
    IOptions<FinalizingOptions> options,
    TimeProvider time,
    ILogger<RecordingFinalizer> logger)
{
    /// <param name="bot">A bot whose recorder is gone, so that nothing writes to its folder.</param>
    /// <param name="cancellation">Keeps the chunks.</param>
    /// <exception cref="FinalizationBudgetException">The chunks need more than an honest recorder can have caused. They are kept.</exception>
    /// <exception cref="FinalizationException">The chunks cannot be assembled. They are kept.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed. The chunks are kept.</exception>
    /// <exception cref="IOException">The disk is full or unavailable. The chunks are kept.</exception>
    public async Task<FinalizationResult> FinalizeAsync(Bot bot, CancellationToken cancellation)
    {
        using var part = BotTracing.StartPart("recording finalize");
        part?.SetTag(BotTracing.SessionTag, bot.Id.ToString());
        try
        {
            return await FinalizeOnceAsync(bot, RecordingBudget.Of(bot, time.GetUtcNow(), clock.Total), cancellation);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // The bot ends.
            if (exception is FinalizationException)
                doubts.Forget(bot.Id);
            part.Fail(exception);
            throw;
        }
    }

    /// <returns>The recording that an earlier attempt has published; <see langword="null"/> if none has.</returns>
    public async Task<FinalizationResult?> FindPublishedAsync(Bot bot, CancellationToken cancellation) =>
        await new FinalRecording(storage, bot.UserId, bot.Id, bot.FinalizationAttempt).FindAsync(cancellation) is { } manifest ? Recorded(manifest) : null;

    private async Task<FinalizationResult> FinalizeOnceAsync(Bot bot, RecordingBudget budget, CancellationToken cancellation)
    {
        var session = SessionFolder.Find(storage, bot.UserId, bot.Id);
        if (session is not null)
            KeepEvidence(bot, session, cancellation);
        var final = new FinalRecording(storage, bot.UserId, bot.Id, bot.FinalizationAttempt);
        var published = await final.FindAsync(cancellation);
        if (published is null && final.HasOnlyKeptChunks)
        {
            // An earlier attempt was interrupted after the bot was found to be over its budget.
            if (session is not null)
                KeepAside(bot, budget, session, final);
            if (bot.FailedEnd is not { IsRequested: true })
                throw new FinalizationBudgetException("its session", $"The chunks of {final} were moved to the folder of damaged chunks.");
            // A user asks for another attempt: the limits or FFmpeg may be others now.
            folders.Restore(bot.UserId, bot.Id, storage.Damaged(bot.UserId, bot.Id));
            session = SessionFolder.Find(storage, bot.UserId, bot.Id);
        }

        var manifest = published
            ?? (session is null ? null : await AssembleAndPublishAsync(bot, budget, session, final, cancellation));
        if (manifest is null)
            return NothingRecorded(bot, session, final);
        final.DeleteWorkFolders();
        if (session is not null)
        {
            final.KeepDamaged(session, manifest);
            DeleteSessionFolder(bot, session, manifest);
        }

        return Recorded(manifest);
    }

    /// <summary>Evidence that cannot be kept costs no audio.</summary>
    private void KeepEvidence(Bot bot, SessionFolder session, CancellationToken cancellation)
    {
        try
        {
            evidence.Keep(session, bot.UserId, bot.Id, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.NoEvidence(logger, bot.Id, exception.Message);
        }
    }

    private static FinalizationResult.Recorded Recorded(RecordingManifest manifest) => new(
        manifest.ToRecording(), manifest.Chunks.Count, manifest.AudibleSeconds)
    {
        Reason = manifest.Reason,
        Gaps = manifest.Gaps,
        Speakers = manifest.ToSpeakers(),
    };

    /// <returns><see langword="null"/> if there is no audio.</returns>
    private async Task<RecordingManifest?> AssembleAndPublishAsync(
        Bot bot, RecordingBudget budget, SessionFolder session, FinalRecording final, CancellationToken cancellation)
    {
        if (!session.HasAudio)
            return null;
        using var work = final.MakeWorkFolder();
        AssemblyResult made;
        try
        {
            made = await AssembleAsync(bot, budget, session, work, cancellation);
        }
        catch (FinalizationBudgetException)
        {
            KeepAside(bot, budget, session, final);
            throw;
        }

        if (made.Mix is not { } mix)
            return null;
        using (BotTracing.StartPart("recording seal"))
            made = made with { Mix = await FinalRecording.SealAsync(work, mix, cancellation), Tracks = await SealAsync(work, made.Tracks, cancellation) };

        // If this manager lost its lease, another one may have published. Its recording must not be overwritten.
        cancellation.ThrowIfCancellationRequested();
        if (await final.FindAsync(cancellation) is { } published)
            return published;

        using var part = BotTracing.StartPart("recording publish");
        var manifest = Describe(bot, made.Mix, made);
        final.Publish(made.Mix, made.Tracks, manifest, work);
        Log.Published(logger, bot.Id, manifest.Chunks.Count, manifest.DurationSeconds, manifest.Complete);
        return manifest;
    }

    private void KeepAside(Bot bot, RecordingBudget budget, SessionFolder session, FinalRecording final)
    {
        final.KeepWithinBudget(session, budget);
        folders.Remove(bot.UserId, bot.Id);
    }

    private async Task<AssemblyResult> AssembleAsync(
        Bot bot, RecordingBudget budget, SessionFolder session, WorkFolder work, CancellationToken cancellation)
    {
        var request = new AssemblyRequest
        {
            Session = bot.Id.ToString(),
            Budget = budget,
            Limits = budget.Limits(options.Value, hasTracks: session.Tracks().Take(RecordingBudget.MaxTracks).Any(track => track.Folder.HasAudio)),
            Suspects = doubts.Earlier(bot.Id),
            Options = options.Value,
        };
        try
        {
            var made = await assembly.RunAsync(request, session, work, cancellation);
            doubts.Forget(bot.Id);
            return made;
        }
        catch (SecondOpinionException exception)
        {
            doubts.Add(bot.Id, exception.Suspects);
            throw;
        }
    }

    private static async Task<IReadOnlyList<AssembledTrack>> SealAsync(WorkFolder work, IEnumerable<AssembledTrack> tracks, CancellationToken cancellation)
    {
        var result = new List<AssembledTrack>();
        foreach (var track in tracks)
            result.Add(track.Audio is { } audio ? track with { Audio = await FinalRecording.SealAsync(work, audio, cancellation) } : track);
        return result;
    }

    private FinalizationResult.NothingRecorded NothingRecorded(Bot bot, SessionFolder? session, FinalRecording final)
    {
        if (final.HasAnyFile)
            throw new FinalizationException($"The recording {final} and its manifest do not match or one is missing, and there are no chunks to assemble it again.");
        var hasUnreadable = session is not null && (session.HasAudio || session.Tracks().Take(RecordingBudget.MaxTracks).Any(track => track.Folder.HasAudio));
        if (hasUnreadable)
            Log.NoReadableAudio(logger, session!.Path);
        else
            folders.Remove(bot.UserId, bot.Id);
        return new() { HasUnreadableChunks = hasUnreadable };
    }

    private void DeleteSessionFolder(Bot bot, SessionFolder session, RecordingManifest manifest)
    {
        var known = manifest.Chunks.Select(chunk => (chunk.File, chunk.Bytes))
            .Concat(manifest.Ignored.Select(ignored => (ignored.File, Bytes: ignored.Bytes ?? 0)))
            .ToHashSet();
        if (session.Chunks().FirstOrDefault(chunk => !known.Contains((Path.GetFileName(chunk.Path), chunk.Bytes))) is { } unknown)
            Log.NotInRecording(logger, unknown.Path);
        else
            folders.Remove(bot.UserId, bot.Id);
    }

    private static RecordingManifest Describe(Bot bot, AssembledAudio mix, AssemblyResult made)
    {
        var (_, plan, decoded) = mix;
        var manifest = new RecordingManifest
        {
            SessionId = bot.Id,
            UserId = bot.UserId,
            MeetingUrl = bot.MeetingUrl,
            BotName = bot.ShownName,
            Platform = bot.Platform,
            Metadata = bot.Metadata,
            Retention = bot.Retention?.TotalSeconds,
            Reason = bot.Reason,
            StartedAt = plan.StartedAt,
            EndedAt = plan.StartedAt + decoded.Length,
            DurationSeconds = decoded.Length.TotalSeconds,
            AudibleSeconds = ChunkManifest.Seconds(decoded.AudiblePackets),
            Format = "ogg",
            Bytes = mix.Bytes,
            Sha256 = mix.Sha256,
            Chunks =
            [
                .. plan.Chunks.Select(piece => new ManifestChunk(
                    piece.Chunk.Index,
                    piece.Chunk.File,
                    piece.Chunk.Sha256,
                    piece.Chunk.Bytes,
                    ChunkManifest.Seconds(piece.Range.First),
                    ChunkManifest.Seconds(piece.Range.Count),
                    piece.Chunk.StartedAt,
                    piece.Problem)),
            ],
            Gaps = plan.Gaps,
            Disagreements = made.Disagreements,
            Speakers = made.Speakers,
            Tracks = [.. made.Tracks.Select(track => ManifestTrack.Of(track, bot.Id, plan.StartedAt, made.Speakers))],
            Ignored = [.. plan.Ignored, .. made.Others],
            Damaged =
            [
                .. plan.Damaged,
                .. made.Tracks.SelectMany(track => (track.Audio?.Plan.Damaged ?? track.Kept).Select(file => $"{StorageLayout.TrackFolderName(track.Track)}/{file}")),
            ],
        };
        var completeness = Completeness.Of(manifest, bot.EndedCleanly);
        return manifest with
        {
            Complete = completeness.IsComplete,
            MissingSeconds = completeness.MissingSeconds,
            Warning = completeness.Warning(bot.LastWarning, manifest.DurationSeconds),
        };
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Published the recording of bot {SessionId}: {Chunks} chunks, {Seconds:0.00} s, complete: {Complete}")]
        public static partial void Published(ILogger logger, SessionId sessionId, int chunks, double seconds, bool complete);

        [LoggerMessage(LogLevel.Warning, "The evidence of bot {SessionId} cannot be kept, its recording is made without it: {Error}")]
        public static partial void NoEvidence(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Warning, "No chunk in {Folder} holds readable audio, the folder is kept")]
        public static partial void NoReadableAudio(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Warning, "{Path} is not part of the published recording, the session folder is kept")]
        public static partial void NotInRecording(ILogger logger, string path);
    }
}

/// <summary>
/// The chunks of a session cannot be assembled, and a retry will not help. The chunks are kept. The message names the path, or FFmpeg's
/// command line, exit code and last output.
/// </summary>
internal class FinalizationException(string message, Exception? inner = null) : Exception(message, inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Bot;

    public virtual string Explanation => "The recorded audio cannot be assembled.";
}
