using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Telemetry;

namespace NewarBots.Manager.Finalizing;

/// <summary>
/// Makes a recording of a session's folder: reads the chunks, plans, puts them together, decodes the result, publishes it, and
/// only then deletes the chunks. Each attempt begins anew from what lies on the disk, so that one that was interrupted anywhere
/// and repeated comes to the same result; once the manifest is published, a repeat finds it and only tidies up.
/// </summary>
internal sealed partial class RecordingFinalizer(
    StorageLayout storage,
    FFmpegConcatenator concatenator,
    FFmpegVerifier verifier,
    IOptions<FinalizingOptions> options,
    ILogger<RecordingFinalizer> logger) : IDisposable
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(40);

    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrent);

    /// <param name="bot">Its recorder is gone: nobody writes to its folder any more.</param>
    /// <param name="cancellation">Leaves the chunks as they are.</param>
    /// <exception cref="FinalizationException">The chunks cannot be put together; they stay.</exception>
    /// <exception cref="FFmpegMissingException">They stay until there is an FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone; they stay.</exception>
    public async Task<FinalizationResult> FinalizeAsync(Bot bot, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        using var part = ManagerTelemetry.StartPart("recording finalize");
        part?.SetTag(ManagerTelemetry.BotIdTag, bot.Id.ToString());
        try
        {
            return await MakeRecordingAsync(bot, cancellation);
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

    private async Task<FinalizationResult> MakeRecordingAsync(Bot bot, CancellationToken cancellation)
    {
        var session = SessionFolder.Find(storage, bot.UserId, bot.Id);
        var final = new FinalRecording(storage, bot.UserId, bot.Id);
        if (await final.FindAsync(cancellation) is not { } manifest)
        {
            var plan = session is null ? null : ReadChunks(session, bot, cancellation);
            if (plan is not { Pieces.Count: > 0 })
                return NothingRecorded(session, final);
            manifest = await MakeRecordingAsync(bot, session!, plan, final, cancellation);
        }

        if (session is not null)
            DeleteSessionFolder(session, manifest);
        return new FinalizationResult.Recorded(
            new(manifest.Format, manifest.Bytes, manifest.DurationSeconds, manifest.Complete),
            manifest.Chunks.Count,
            manifest.AudibleSeconds);
    }

    private async Task<RecordingManifest> MakeRecordingAsync(
        Bot bot, SessionFolder session, ChunkManifest plan, FinalRecording final, CancellationToken cancellation)
    {
        using var work = final.MakeWorkFolder();
        var audio = work.PathOf("recording.ogg");
        using (ManagerTelemetry.StartPart("recording concatenate"))
        {
            var parts = new PieceFiles(session, work.Root).Make(plan, cancellation);
            await concatenator.ConcatenateAsync(parts, bot.Id, audio, cancellation);
        }

        DecodedAudio decoded;
        using (ManagerTelemetry.StartPart("recording verify"))
        {
            decoded = await verifier.DecodeAsync(audio, plan.Duration, cancellation);
            if ((decoded.Length - plan.Duration).Duration() > Tolerance)
                throw new FinalizationException(
                    $"The chunks in {session.Path} hold {plan.Duration.TotalSeconds} s, put together and decoded {decoded.Length.TotalSeconds} s.");
        }

        using (ManagerTelemetry.StartPart("recording publish"))
        {
            var (bytes, sha256) = await FinalRecording.SealAsync(audio, cancellation);
            var manifest = Describe(bot, plan, decoded, bytes, sha256, session.Others());
            final.Publish(audio, manifest, work);
            Log.Published(logger, bot.Id, plan.Chunks.Count(), manifest.DurationSeconds, manifest.Complete);
            return manifest;
        }
    }

    private static ChunkManifest ReadChunks(SessionFolder session, Bot bot, CancellationToken cancellation)
    {
        using var part = ManagerTelemetry.StartPart("chunks read");
        var chunks = new List<OggOpusChunk>();
        foreach (var file in session.Chunks())
        {
            cancellation.ThrowIfCancellationRequested();
            // Nothing is read from an empty file: a pipe looks like one, and would never end.
            chunks.Add(file.Bytes == 0 ? OggOpusChunk.Empty(file.Index) : ChunkReader.Read(file.Path, file.Index));
        }

        return ChunkManifest.Plan(bot.Id, chunks, session.ReadJournal(bot.Id));
    }

    private FinalizationResult.NothingRecorded NothingRecorded(SessionFolder? session, FinalRecording final)
    {
        if (final.HasTraces)
            throw new FinalizationException($"{final} is there without its counterpart, or they do not agree, and there are no chunks to make it anew.");
        if (session is not null && session.Chunks().Any(chunk => chunk.Bytes > 0))
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
        else
            session.Delete();
    }

    private static RecordingManifest Describe(
        Bot bot, ChunkManifest plan, DecodedAudio decoded, long bytes, string sha256, IEnumerable<IgnoredFile> others) => new()
        {
            SessionId = bot.Id,
            UserId = bot.UserId,
            MeetingUrl = bot.MeetingUrl,
            BotName = bot.BotName,
            Platform = bot.Platform,
            Metadata = bot.Metadata,
            Reason = bot.Reason,
            Complete = bot.EndedCleanly && plan.IsWhole,
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
            Ignored = [.. plan.Ignored, .. others],
        };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The recording of {SessionId} is there: {Chunks} chunks, {Seconds:0.00} s, complete: {Complete}")]
        public static partial void Published(ILogger logger, SessionId sessionId, int chunks, double seconds, bool complete);

        [LoggerMessage(LogLevel.Warning, "{Folder} stays: there are chunks in it, and none of them holds any audio that can be read")]
        public static partial void NothingReadable(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Warning, "{Chunk} is not in the published recording: its folder stays")]
        public static partial void NotInTheRecording(ILogger logger, string chunk);
    }
}
