using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Makes a recording of a session's folder: reads the chunks, plans, puts them together, decodes the result, publishes it, and
/// only then deletes the chunks. Each attempt begins anew from what lies on the disk, so that one that was interrupted anywhere
/// and repeated comes to the same result; once the manifest is published, a repeat finds it and only tidies up.
/// </summary>
internal sealed partial class RecordingFinalizer(
    StorageLayout storage,
    AudioAssembler assembler,
    TrackAssembler trackAssembler,
    EvidenceFolder evidence,
    IOptions<FinalizingOptions> options,
    ILogger<RecordingFinalizer> logger) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrent);

    /// <param name="bot">Its recorder is gone: nobody writes to its folder any more.</param>
    /// <param name="cancellation">Leaves the chunks as they are.</param>
    /// <exception cref="FinalizationException">The chunks cannot be put together; they stay.</exception>
    /// <exception cref="FFmpegMissingException">They stay until there is an FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone; they stay.</exception>
    public async Task<FinalizationResult> FinalizeAsync(Bot bot, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        using var part = BotTracing.StartPart("recording finalize");
        part?.SetTag(BotTracing.BotIdTag, bot.Id.ToString());
        try
        {
            return await FinalizeOnceAsync(bot, cancellation);
        }
        catch (Exception exception)
        {
            part.Fail(exception);
            throw;
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task<FinalizationResult> FinalizeOnceAsync(Bot bot, CancellationToken cancellation)
    {
        var session = SessionFolder.Find(storage, bot.UserId, bot.Id);
        if (session is not null)
            evidence.Keep(session, bot.UserId, bot.Id);
        var final = new FinalRecording(storage, bot.UserId, bot.Id, bot.EndsBegun);
        var manifest = await final.FindAsync(cancellation)
            ?? (session is null ? null : await MakeRecordingAsync(bot, session, final, cancellation));
        if (manifest is null)
            return NothingRecorded(session, final);
        final.ClearAway();
        if (session is not null)
        {
            final.KeepDamaged(session, manifest);
            DeleteSessionFolder(session, manifest);
        }

        return new FinalizationResult.Recorded(
            new(manifest.Format, manifest.Bytes, manifest.DurationSeconds, manifest.Complete),
            manifest.Chunks.Count,
            manifest.AudibleSeconds)
        {
            Reason = manifest.Reason,
            Gaps = manifest.Gaps,
        };
    }

    /// <returns><see langword="null"/> where there is no audio.</returns>
    private async Task<RecordingManifest?> MakeRecordingAsync(
        Bot bot, SessionFolder session, FinalRecording final, CancellationToken cancellation)
    {
        if (!session.HasAudio)
            return null;
        using var work = final.MakeWorkFolder();
        var journal = session.ReadJournal(bot.Id);
        if (await assembler.AssembleAsync(bot.Id, session, journal, work.Root, cancellation) is not { } mix)
            return null;
        var tracks = await trackAssembler.AssembleAsync(bot.Id, session, work, cancellation);

        // Whoever was held up does not put its own over what another manager has published meanwhile.
        cancellation.ThrowIfCancellationRequested();
        if (await final.FindAsync(cancellation) is { } published)
            return published;

        using var part = BotTracing.StartPart("recording publish");
        var manifest = Describe(bot, mix, journal, tracks, [.. session.Others()]);
        final.Publish(mix.Path, tracks, manifest, work);
        Log.Published(logger, bot.Id, manifest.Chunks.Count, manifest.DurationSeconds, manifest.Complete);
        return manifest;
    }

    private FinalizationResult.NothingRecorded NothingRecorded(SessionFolder? session, FinalRecording final)
    {
        if (final.HasTraces)
            throw new FinalizationException($"{final} is there without its counterpart, or they do not agree, and there are no chunks to make it anew.");
        if (session is not null && (session.HasAudio || session.Tracks().Any(track => track.Folder.HasAudio)))
            Log.NothingReadable(logger, session.Path);
        else
            session?.Delete();
        return new();
    }

    private void DeleteSessionFolder(SessionFolder session, RecordingManifest manifest)
    {
        var known = manifest.Chunks.Select(chunk => (chunk.File, chunk.Bytes))
            .Concat(manifest.Ignored.Select(ignored => (ignored.File, Bytes: ignored.Bytes ?? 0)))
            .ToHashSet();
        if (session.Chunks().FirstOrDefault(chunk => !known.Contains((Path.GetFileName(chunk.Path), chunk.Bytes))) is { } unknown)
            Log.NotInTheRecording(logger, unknown.Path);
        else if (session.Tracks().FirstOrDefault(track => track.Folder.HasAudio && !manifest.Accounts(track.Track)) is { Folder: { } missing })
            Log.NotInTheRecording(logger, missing.Path);
        else
            session.Delete();
    }

    private static RecordingManifest Describe(
        Bot bot, AssembledAudio mix, SessionJournal journal, IReadOnlyList<AssembledTrack> tracks, IReadOnlyList<IgnoredFile> others)
    {
        var (_, plan, decoded, bytes, sha256) = mix;
        var speakers = Speakers.Of(journal.Speeches, decoded.Length.TotalSeconds);
        return new()
        {
            SessionId = bot.Id,
            UserId = bot.UserId,
            MeetingUrl = bot.MeetingUrl,
            BotName = bot.BotName,
            Platform = bot.Platform,
            Metadata = bot.Metadata,
            Reason = bot.Reason,
            // Without the journal nobody knows what is missing.
            Complete = bot.EndedCleanly && plan.IsWhole && !others.Any(other => other.Why is IgnoredBecause.TooBig),
            StartedAt = plan.StartedAt,
            EndedAt = plan.StartedAt + decoded.Length,
            DurationSeconds = decoded.Length.TotalSeconds,
            AudibleSeconds = ChunkManifest.Seconds(decoded.AudiblePackets),
            Format = "ogg",
            Bytes = bytes,
            Sha256 = sha256,
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
            Speakers = speakers,
            Tracks = [.. tracks.Select(track => ManifestTrack.Of(track, bot.Id, plan.StartedAt, speakers))],
            Ignored = [.. plan.Ignored, .. others],
            Damaged =
            [
                .. plan.Damaged,
                .. tracks.SelectMany(track => track.Audio?.Plan.Damaged.Select(file => $"{StorageLayout.TrackFolderName(track.Track)}/{file}") ?? []),
            ],
        };
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The recording of {SessionId} is there: {Chunks} chunks, {Seconds:0.00} s, complete: {Complete}")]
        public static partial void Published(ILogger logger, SessionId sessionId, int chunks, double seconds, bool complete);

        [LoggerMessage(LogLevel.Warning, "{Folder} stays: there are chunks in it, and none of them holds any audio that can be read")]
        public static partial void NothingReadable(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Warning, "{Path} is not in the published recording: the session's folder stays")]
        public static partial void NotInTheRecording(ILogger logger, string path);
    }
}
