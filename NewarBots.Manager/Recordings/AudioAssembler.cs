using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>Assembles the chunks of a folder into one file: reads them, plans, concatenates, and decodes the whole result to verify it.</summary>
internal sealed partial class AudioAssembler(FFmpegConcatenator concatenator, FFmpegVerifier verifier, ILogger<AudioAssembler> logger)
{
    /// <summary>Name of the result.</summary>
    public const string FileName = "recording.ogg";

    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(40);

    /// <summary>Chunks of the mix and of all tracks that were decoded alone.</summary>
    private long _decodedAlone;

    /// <param name="session">Chunks of other sessions are ignored.</param>
    /// <param name="source">The folder with the chunks. It is not changed.</param>
    /// <param name="journal">The recorder's journal.</param>
    /// <param name="work">An empty folder for the result and temporary files.</param>
    /// <param name="budget">The most that the recorder can have written.</param>
    /// <param name="doubts">About chunks that FFmpeg cannot decode.</param>
    /// <param name="cancellation">Leaves unfinished files in <paramref name="work"/>.</param>
    /// <exception cref="InaccessibleChunksException">No chunk holds audio, but some could not be opened.</exception>
    /// <exception cref="TooMuchSilenceException">Too much of it would be silence.</exception>
    /// <exception cref="FinalizationException">The chunks cannot be assembled.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public async Task<AssembledFolder> AssembleAsync(
        SessionId session,
        ChunkFolder source,
        SessionJournal journal,
        WorkPart work,
        RecordingBudget budget,
        Doubts doubts,
        CancellationToken cancellation)
    {
        var chunks = Read(source, budget, cancellation);
        var plan = ChunkManifest.Plan(session, chunks, journal, budget.Packets);
        if (plan.Pieces.Count == 0 && chunks.Count(chunk => chunk.IsInaccessible) is > 0 and var closed)
            throw new InaccessibleChunksException(source.Path, closed);
        if (plan.Pieces.Count == 0)
            return new(Audio: null, plan);
        if (plan.SilentPackets > budget.Silence)
            throw new TooMuchSilenceException(source.Path);

        using var files = new PieceFiles(source, work.Folder);
        DecodedAudio decoded;
        try
        {
            decoded = await ConcatenateAsync(session, plan, files, work, cancellation);
        }
        catch (BadAudioException exception)
        {
            var undecodable = await FindUndecodableAsync(plan, files, work, budget, cancellation);
            if (!doubts.Confirm(undecodable.Count == 0 ? [work.NameOf(FileName)] : [.. undecodable.Select(index => work.NameOf(ChunkFormat.FileName(index)))]))
            {
                Log.InDoubt(logger, source.Path, undecodable.Count, exception.Message);
                return new(Audio: null, plan);
            }

            if (undecodable.Count == 0)
                throw;
            Log.Undecodable(logger, source.Path, undecodable.Count, exception.Message);
            plan = ChunkManifest.Plan(
                session, chunks.Select(chunk => chunk with { IsUndecodable = undecodable.Contains(chunk.Index) }), journal, budget.Packets);
            if (plan.Pieces.Count == 0)
                throw;
            decoded = await ConcatenateAsync(session, plan, files, work, cancellation);
        }

        return new(new(work.NameOf(FileName), plan, decoded), plan);
    }

    private static List<OggOpusChunk> Read(ChunkFolder source, RecordingBudget budget, CancellationToken cancellation)
    {
        using var part = BotTracing.StartPart("chunks read");
        var chunks = new List<OggOpusChunk>();
        var (read, bytes) = (0L, 0L);
        foreach (var file in source.Chunks())
        {
            cancellation.ThrowIfCancellationRequested();
            var isTooBig = file.Bytes > ChunkFolder.MaxChunkBytes || bytes + file.Bytes > budget.Bytes || read >= budget.MaxChunks;
            bytes += isTooBig ? 0 : file.Bytes;
            read += isTooBig || file.Bytes == 0 ? 0 : 1;
            // An empty file is never opened: it may be a pipe, and reading that would never end.
            chunks.Add(file.Bytes == 0 ? OggOpusChunk.Empty(file.Index)
                : isTooBig ? OggOpusChunk.TooBig(file.Index, file.Bytes)
                : ChunkReader.Read(file.Path, file.Index));
        }

        return chunks;
    }

    /// <returns>The decoded result, which is as long as planned.</returns>
    private async Task<DecodedAudio> ConcatenateAsync(
        SessionId session, ChunkManifest plan, PieceFiles files, WorkPart work, CancellationToken cancellation)
    {
        using (BotTracing.StartPart("recording concatenate"))
            await concatenator.ConcatenateAsync(files.Write(plan, cancellation), session, work.Folder, FileName, cancellation);

        using var part = BotTracing.StartPart("recording verify");
        var decoded = await verifier.DecodeAsync(work.Folder, FileName, plan.Duration, cancellation);
        return (decoded.Length - plan.Duration).Duration() <= Tolerance
            ? decoded
            : throw new BadAudioException(
                $"The chunks hold {plan.Duration.TotalSeconds} s of audio, but the assembled file decodes to {decoded.Length.TotalSeconds} s.");
    }

    /// <summary>
    /// Decodes each chunk alone. Slow, therefore only used after decoding the whole file failed, and limited: further chunks count as undecodable.
    /// </summary>
    private async Task<HashSet<int>> FindUndecodableAsync(
        ChunkManifest plan, PieceFiles files, WorkPart work, RecordingBudget budget, CancellationToken cancellation)
    {
        var undecodable = new HashSet<int>();
        foreach (var piece in plan.Chunks)
        {
            if (_decodedAlone++ >= 2 * budget.MaxChunks)
            {
                undecodable.Add(piece.Chunk.Index);
                continue;
            }

            var length = TimeSpan.FromSeconds(ChunkManifest.Seconds(piece.Range.Count));
            try
            {
                if ((await verifier.DecodeAsync(work.Folder, files.Write(piece), length, cancellation, mayBeEmpty: true)).Length != length)
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
        [LoggerMessage(LogLevel.Warning, "FFmpeg cannot decode the audio in {Folder} ({Count} chunks), another attempt will decide: {Error}")]
        public static partial void InDoubt(ILogger logger, string folder, int count, string error);

        [LoggerMessage(LogLevel.Warning, "{Count} chunks in {Folder} cannot be decoded, silence replaces them: {Error}")]
        public static partial void Undecodable(ILogger logger, string folder, int count, string error);
    }
}

/// <summary>The result of assembling the chunks of a folder.</summary>
/// <param name="Audio"><see langword="null"/> if there is none, or if it is in doubt.</param>
/// <param name="Plan">All chunks, also those that cannot be used.</param>
internal sealed record AssembledFolder(AssembledAudio? Audio, ChunkManifest Plan)
{
    /// <summary>FFmpeg cannot decode something. Another attempt decides.</summary>
    public bool IsInDoubt => Audio is null && Plan.Pieces.Count > 0;
}

/// <param name="File">Name of the assembled file, relative to the work folder.</param>
/// <param name="Plan">The chunks it was assembled from.</param>
/// <param name="Decoded">Measured by decoding the file.</param>
internal sealed record AssembledAudio(string File, ChunkManifest Plan, DecodedAudio Decoded)
{
    /// <summary>Size of the file. The manager measures it, once nobody else can change the file.</summary>
    public long Bytes { get; init; }

    /// <summary>Hash of the file, lower-case hexadecimal.</summary>
    public string Sha256 { get; init; } = "";
}

/// <summary>The part of a work folder for the mix or for one track.</summary>
/// <param name="Root">The work folder.</param>
/// <param name="Name">Name of a folder in it; empty for the work folder itself.</param>
internal sealed record WorkPart(string Root, string Name)
{
    public string Folder => Path.Combine(Root, Name);

    public string NameOf(string file) => Path.Combine(Name, file);
}

/// <summary>No chunk holds audio, but some could not be opened. They are kept.</summary>
internal sealed class InaccessibleChunksException : FinalizationException
{
    public InaccessibleChunksException(string folder, int chunks) : this($"{chunks} chunks in {folder} cannot be opened, and no other chunk holds audio.")
    {
    }

    public InaccessibleChunksException(string message) : base(message)
    {
    }

    public override string Explanation => "The recorder's chunks exist, but the manager was denied access to them.";
}

/// <summary>A track needs more silence in place of missing audio than its session may have (<see cref="RecordingBudget.Silence"/>).</summary>
internal sealed class TooMuchSilenceException(string folder) : FinalizationException($"The chunks in {folder} need more silence between them than the session may have.");
