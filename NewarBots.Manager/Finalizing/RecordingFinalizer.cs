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
    EvidenceFolder evidence,
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
        var final = new FinalRecording(storage, bot.UserId, bot.Id);
        var manifest = await final.FindAsync(cancellation)
            ?? (session is null ? null : await MakeRecordingAsync(bot, session, final, cancellation));
        if (manifest is null)
            return NothingRecorded(session, final);
        final.ClearAway();
        if (session is not null)
            DeleteSessionFolder(session, manifest);
        return new FinalizationResult.Recorded(
            new(manifest.Format, manifest.Bytes, manifest.DurationSeconds, manifest.Complete),
            manifest.Chunks.Count,
            manifest.AudibleSeconds);
    }

    /// <returns><see langword="null"/> where there is no audio.</returns>
    private async Task<RecordingManifest?> MakeRecordingAsync(
        Bot bot, SessionFolder session, FinalRecording final, CancellationToken cancellation)
    {
        var chunks = ReadChunks(session, cancellation);
        var journal = session.ReadJournal(bot.Id);
        var plan = ChunkManifest.Plan(bot.Id, chunks, journal);
        if (plan.Pieces.Count == 0)
            return null;

        using var work = final.MakeWorkFolder();
        var parts = new PieceFiles(session, work.Root);
        DecodedAudio decoded;
        try
        {
            decoded = await PutTogetherAsync(bot, plan, parts, work, cancellation);
        }
        catch (BadAudioException exception)
        {
            var undecodable = await FindUndecodableAsync(plan, parts, cancellation);
            if (undecodable.Count == 0)
                throw;
            Log.Undecodable(logger, bot.Id, undecodable.Count, exception.Message);
            plan = ChunkManifest.Plan(
                bot.Id, chunks.Select(chunk => chunk with { IsUndecodable = undecodable.Contains(chunk.Index) }), journal);
            if (plan.Pieces.Count == 0)
                throw;
            decoded = await PutTogetherAsync(bot, plan, parts, work, cancellation);
        }

        using var part = ManagerTelemetry.StartPart("recording publish");
        var (bytes, sha256) = await FinalRecording.SealAsync(AudioIn(work), cancellation);
        var manifest = Describe(bot, plan, journal, decoded, bytes, sha256, session.Others());
        final.Publish(AudioIn(work), manifest, work);
        Log.Published(logger, bot.Id, manifest.Chunks.Count, manifest.DurationSeconds, manifest.Complete);
        return manifest;
    }

    private static List<OggOpusChunk> ReadChunks(SessionFolder session, CancellationToken cancellation)
    {
        using var part = ManagerTelemetry.StartPart("chunks read");
        var chunks = new List<OggOpusChunk>();
        foreach (var file in session.Chunks())
        {
            cancellation.ThrowIfCancellationRequested();
            // Nothing is read from an empty file: a pipe looks like one, and would never end.
            chunks.Add(file.Bytes == 0 ? OggOpusChunk.Empty(file.Index) : ChunkReader.Read(file.Path, file.Index));
        }

        return chunks;
    }

    /// <returns>The result as it was decoded; it is as long as planned.</returns>
    private async Task<DecodedAudio> PutTogetherAsync(
        Bot bot, ChunkManifest plan, PieceFiles parts, WorkFolder work, CancellationToken cancellation)
    {
        using (ManagerTelemetry.StartPart("recording concatenate"))
            await concatenator.ConcatenateAsync(parts.Make(plan, cancellation), bot.Id, AudioIn(work), cancellation);

        using var part = ManagerTelemetry.StartPart("recording verify");
        var decoded = await verifier.DecodeAsync(AudioIn(work), plan.Duration, cancellation);
        return (decoded.Length - plan.Duration).Duration() <= Tolerance
            ? decoded
            : throw new BadAudioException(
                $"The chunks hold {plan.Duration.TotalSeconds} s; put together and decoded they are {decoded.Length.TotalSeconds} s.");
    }

    /// <summary>Decodes each chunk alone: slow, and only where the whole could not be decoded.</summary>
    private async Task<HashSet<int>> FindUndecodableAsync(ChunkManifest plan, PieceFiles parts, CancellationToken cancellation)
    {
        var undecodable = new HashSet<int>();
        foreach (var piece in plan.Chunks)
        {
            var length = TimeSpan.FromSeconds(ChunkManifest.Seconds(piece.Range.Count));
            try
            {
                if ((await verifier.DecodeAsync(parts.PathOf(piece), length, cancellation)).Length != length)
                    undecodable.Add(piece.Chunk.Index);
            }
            catch (BadAudioException)
            {
                undecodable.Add(piece.Chunk.Index);
            }
        }

        return undecodable;
    }

    private static string AudioIn(WorkFolder work) => work.PathOf("recording.ogg");

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
        Bot bot, ChunkManifest plan, SessionJournal journal, DecodedAudio decoded, long bytes, string sha256, IEnumerable<IgnoredFile> others) => new()
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
            Speakers = Speakers.Of(journal.Speeches, decoded.Length.TotalSeconds),
            Ignored = [.. plan.Ignored, .. others],
        };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The recording of {SessionId} is there: {Chunks} chunks, {Seconds:0.00} s, complete: {Complete}")]
        public static partial void Published(ILogger logger, SessionId sessionId, int chunks, double seconds, bool complete);

        [LoggerMessage(LogLevel.Warning, "{Count} chunks of {SessionId} cannot be decoded, and silence takes their place: {Why}")]
        public static partial void Undecodable(ILogger logger, SessionId sessionId, int count, string why);

        [LoggerMessage(LogLevel.Warning, "{Folder} stays: there are chunks in it, and none of them holds any audio that can be read")]
        public static partial void NothingReadable(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Warning, "{Chunk} is not in the published recording: its folder stays")]
        public static partial void NotInTheRecording(ILogger logger, string chunk);
    }
}
