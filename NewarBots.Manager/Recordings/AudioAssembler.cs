using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>Makes one file of a folder's chunks: reads them, plans, puts them together, and decodes the result whole.</summary>
internal sealed partial class AudioAssembler(FFmpegConcatenator concatenator, FFmpegVerifier verifier, ILogger<AudioAssembler> logger)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(40);

    /// <param name="session">Whose chunks they are to be.</param>
    /// <param name="source">Where they lie; they stay.</param>
    /// <param name="journal">What the recorder noted about them.</param>
    /// <param name="work">An empty folder, where the file is made.</param>
    /// <param name="cancellation">Leaves what has been made.</param>
    /// <returns><see langword="null"/> where there is no audio.</returns>
    /// <exception cref="FinalizationException">The chunks cannot be put together.</exception>
    /// <exception cref="FFmpegMissingException">There is no FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public async Task<AssembledAudio?> AssembleAsync(
        SessionId session, AudioFolder source, SessionJournal journal, string work, CancellationToken cancellation)
    {
        var chunks = Read(source, cancellation);
        var plan = ChunkManifest.Plan(session, chunks, journal);
        if (plan.Pieces.Count == 0)
            return null;

        var target = Path.Combine(work, "recording.ogg");
        var parts = new PieceFiles(source, work);
        DecodedAudio decoded;
        try
        {
            decoded = await PutTogetherAsync(session, plan, parts, target, cancellation);
        }
        catch (BadAudioException exception)
        {
            var undecodable = await FindUndecodableAsync(plan, parts, cancellation);
            if (undecodable.Count == 0)
                throw;
            Log.Undecodable(logger, source.Path, undecodable.Count, exception.Message);
            plan = ChunkManifest.Plan(
                session, chunks.Select(chunk => chunk with { IsUndecodable = undecodable.Contains(chunk.Index) }), journal);
            if (plan.Pieces.Count == 0)
                throw;
            decoded = await PutTogetherAsync(session, plan, parts, target, cancellation);
        }

        using var part = BotTracing.StartPart("recording seal");
        var (bytes, sha256) = await FinalRecording.SealAsync(target, cancellation);
        return new(target, plan, decoded, bytes, sha256);
    }

    private static List<OggOpusChunk> Read(AudioFolder source, CancellationToken cancellation)
    {
        using var part = BotTracing.StartPart("chunks read");
        var chunks = new List<OggOpusChunk>();
        var bytes = 0L;
        foreach (var file in source.Chunks())
        {
            cancellation.ThrowIfCancellationRequested();
            var isTooBig = file.Bytes > SizeLimits.OfChunk || bytes + file.Bytes > SizeLimits.OfChunks;
            bytes += isTooBig ? 0 : file.Bytes;
            // Nothing is read from an empty file: a pipe looks like one, and would never end.
            chunks.Add(file.Bytes == 0 ? OggOpusChunk.Empty(file.Index)
                : isTooBig ? OggOpusChunk.TooBig(file.Index, file.Bytes)
                : ChunkReader.Read(file.Path, file.Index));
        }

        return chunks;
    }

    /// <returns>The result as it was decoded; it is as long as planned.</returns>
    private async Task<DecodedAudio> PutTogetherAsync(
        SessionId session, ChunkManifest plan, PieceFiles parts, string target, CancellationToken cancellation)
    {
        using (BotTracing.StartPart("recording concatenate"))
            await concatenator.ConcatenateAsync(parts.Make(plan, cancellation), session, target, cancellation);

        using var part = BotTracing.StartPart("recording verify");
        var decoded = await verifier.DecodeAsync(target, plan.Duration, cancellation);
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

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Count} chunks in {Folder} cannot be decoded, and silence takes their place: {Why}")]
        public static partial void Undecodable(ILogger logger, string folder, int count, string why);
    }
}

/// <param name="Path">The file, brought to the disk.</param>
/// <param name="Plan">What it was put together from.</param>
/// <param name="Decoded">What a listener gets of it.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Of the whole file, lower-case hexadecimal.</param>
internal sealed record AssembledAudio(string Path, ChunkManifest Plan, DecodedAudio Decoded, long Bytes, string Sha256);
