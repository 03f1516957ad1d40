using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>Assembles the chunks of a folder into one file: reads them, plans, concatenates, and decodes the whole result to verify it.</summary>
internal sealed partial class AudioAssembler(FFmpegConcatenator concatenator, FFmpegVerifier verifier, ILogger<AudioAssembler> logger)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(40);

    /// <param name="session">Chunks of other sessions are ignored.</param>
    /// <param name="source">The folder with the chunks. It is not changed.</param>
    /// <param name="journal">The recorder's journal.</param>
    /// <param name="work">An empty folder for the result and temporary files.</param>
    /// <param name="cancellation">Leaves unfinished files in <paramref name="work"/>.</param>
    /// <returns><see langword="null"/> if there is no audio.</returns>
    /// <exception cref="FinalizationException">The chunks cannot be assembled.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public async Task<AssembledAudio?> AssembleAsync(
        SessionId session, ChunkFolder source, SessionJournal journal, string work, CancellationToken cancellation)
    {
        var chunks = Read(source, cancellation);
        var plan = ChunkManifest.Plan(session, chunks, journal);
        if (plan.Pieces.Count == 0)
            return null;

        var target = Path.Combine(work, "recording.ogg");
        var files = new PieceFiles(source, work);
        DecodedAudio decoded;
        try
        {
            decoded = await ConcatenateAsync(session, plan, files, target, cancellation);
        }
        catch (BadAudioException exception)
        {
            var undecodable = await FindUndecodableAsync(plan, files, cancellation);
            if (undecodable.Count == 0)
                throw;
            Log.Undecodable(logger, source.Path, undecodable.Count, exception.Message);
            plan = ChunkManifest.Plan(
                session, chunks.Select(chunk => chunk with { IsUndecodable = undecodable.Contains(chunk.Index) }), journal);
            if (plan.Pieces.Count == 0)
                throw;
            decoded = await ConcatenateAsync(session, plan, files, target, cancellation);
        }

        using var part = BotTracing.StartPart("recording seal");
        var (bytes, sha256) = await FinalRecording.FlushAsync(target, cancellation);
        return new(target, plan, decoded, bytes, sha256);
    }

    private static List<OggOpusChunk> Read(ChunkFolder source, CancellationToken cancellation)
    {
        using var part = BotTracing.StartPart("chunks read");
        var chunks = new List<OggOpusChunk>();
        var bytes = 0L;
        foreach (var file in source.Chunks())
        {
            cancellation.ThrowIfCancellationRequested();
            var isTooBig = file.Bytes > ChunkFolder.MaxChunkBytes || bytes + file.Bytes > ChunkFolder.MaxTotalBytes;
            bytes += isTooBig ? 0 : file.Bytes;
            // An empty file is never opened: it may be a pipe, and reading that would never end.
            chunks.Add(file.Bytes == 0 ? OggOpusChunk.Empty(file.Index)
                : isTooBig ? OggOpusChunk.TooBig(file.Index, file.Bytes)
                : ChunkReader.Read(file.Path, file.Index));
        }

        return chunks;
    }

    /// <returns>The decoded result, which is as long as planned.</returns>
    private async Task<DecodedAudio> ConcatenateAsync(
        SessionId session, ChunkManifest plan, PieceFiles files, string target, CancellationToken cancellation)
    {
        using (BotTracing.StartPart("recording concatenate"))
            await concatenator.ConcatenateAsync(files.Make(plan, cancellation), session, target, cancellation);

        using var part = BotTracing.StartPart("recording verify");
        var decoded = await verifier.DecodeAsync(target, plan.Duration, cancellation);
        return (decoded.Length - plan.Duration).Duration() <= Tolerance
            ? decoded
            : throw new BadAudioException(
                $"The chunks hold {plan.Duration.TotalSeconds} s of audio, but the assembled file decodes to {decoded.Length.TotalSeconds} s.");
    }

    /// <summary>Decodes each chunk alone. Slow, therefore only used after decoding the whole file failed.</summary>
    private async Task<HashSet<int>> FindUndecodableAsync(ChunkManifest plan, PieceFiles files, CancellationToken cancellation)
    {
        var undecodable = new HashSet<int>();
        foreach (var piece in plan.Chunks)
        {
            var length = TimeSpan.FromSeconds(ChunkManifest.Seconds(piece.Range.Count));
            try
            {
                if ((await verifier.DecodeAsync(files.PathOf(piece), length, cancellation)).Length != length)
                    undecodable.Add(piece.Chunk.Index);
            }
            catch (BadAudioException)
            {
                undecodable.Add(piece.Chunk.Index);
            }
        }

        return undecodable;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Count} chunks in {Folder} cannot be decoded, silence replaces them: {Error}")]
        public static partial void Undecodable(ILogger logger, string folder, int count, string error);
    }
}

/// <param name="Path">The assembled file, flushed to disk.</param>
/// <param name="Plan">The chunks it was assembled from.</param>
/// <param name="Decoded">Measured by decoding the file.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Sha256">Hash of the file, lower-case hexadecimal.</param>
internal sealed record AssembledAudio(string Path, ChunkManifest Plan, DecodedAudio Decoded, long Bytes, string Sha256);
