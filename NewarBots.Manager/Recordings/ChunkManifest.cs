using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Decides which chunks make up a recording, and where each belongs: a pure function. A damaged, empty, duplicate, missing or foreign
/// chunk affects only itself and never moves later chunks.
/// </summary>
/// <param name="Pieces">The whole timeline in order, without holes or overlaps. Empty if nothing was recorded.</param>
/// <param name="Gaps">Stretches of silence in place of lost audio, and audio missing after the end.</param>
/// <param name="Ignored">Chunks that are not part of the recording.</param>
internal sealed record ChunkManifest(IReadOnlyList<Piece> Pieces, IReadOnlyList<Gap> Gaps, IReadOnlyList<IgnoredFile> Ignored)
{
    /// <summary>Gaps that the recorder's journal may add.</summary>
    private const int MaxJournalGaps = 10_000;

    /// <summary>The recording's length in packets of 20 ms.</summary>
    public long Packets => Pieces is [.., var last] ? last.Range.End : 0;

    public TimeSpan Duration => TimeSpan.FromSeconds(Seconds(Packets));

    /// <summary>Silence in place of chunks that are missing.</summary>
    public long SilentPackets => Pieces.OfType<Piece.Silence>().Sum(piece => piece.Range.Count);

    public IEnumerable<Piece.OfChunk> Chunks => Pieces.OfType<Piece.OfChunk>();

    /// <summary>Wall-clock time of the start of the timeline, from the first chunk with a plausible start time and a known position.</summary>
    public DateTimeOffset? StartedAt => Chunks
        .Where(HasStart)
        .Select(piece => piece.Chunk.StartedAt - TimeSpan.FromTicks((piece.Range.First - piece.Skip) * TimeSpan.TicksPerSecond / ChunkFormat.PacketsPerSecond))
        .FirstOrDefault();

    /// <summary>Chunks with data that is not in the recording, and that other tools may still be able to read.</summary>
    public IEnumerable<string> Damaged => Chunks.Where(piece => piece.Problem is ChunkProblem.Damaged).Select(piece => piece.Chunk.File)
        .Concat(Ignored
            .Where(chunk => chunk.Why is IgnoreReason.Unreadable or IgnoreReason.Undecodable or IgnoreReason.OtherSession or IgnoreReason.TooLong)
            .Select(chunk => chunk.File))
        .Order(StringComparer.Ordinal);

    /// <param name="session">Chunks of other sessions are ignored.</param>
    /// <param name="chunks">All chunks found, in any order.</param>
    /// <param name="journal">The recorder's journal.</param>
    /// <param name="maxPackets">The most that the recorder can have recorded. A position beyond it is unknown, and audio beyond it is ignored.</param>
    public static ChunkManifest Plan(SessionId session, IEnumerable<OggOpusChunk> chunks, SessionJournal journal, long maxPackets)
    {
        var pieces = new List<Piece>();
        var gaps = new List<Gap>();
        var ignored = new List<IgnoredFile>();
        var usable = new List<OggOpusChunk>();
        foreach (var chunk in chunks.OrderBy(chunk => chunk.Index))
        {
            if (ReasonToIgnore(chunk, session) is { } why)
                ignored.Add(new(chunk.File, why, chunk.Bytes));
            else
                usable.Add(chunk);
        }

        var end = 0L;
        OggOpusChunk? previous = null;
        foreach (var (chunk, claimed) in Locate(usable, maxPackets).OrderBy(located => located.First).ThenBy(located => located.Chunk.Index))
        {
            var skip = Math.Max(0, end - claimed);
            if (skip >= chunk.Packets)
            {
                ignored.Add(new(chunk.File, IgnoreReason.Doubled, chunk.Bytes));
                continue;
            }

            if (claimed + chunk.Packets > maxPackets)
            {
                ignored.Add(new(chunk.File, IgnoreReason.TooLong, chunk.Bytes));
                continue;
            }

            var first = claimed + skip;
            if (first > end)
            {
                pieces.Add(new Piece.Silence(new(end, first - end)));
                gaps.Add(NewGap(end, first, CauseOfGap(previous, chunk)));
            }

            ChunkProblem? problem = chunk switch
            {
                { Problem: { } known } => known,
                _ when skip > 0 => ChunkProblem.Overlapping,
                _ when chunk.FirstPacket != claimed => ChunkProblem.PositionUnknown,
                _ => null,
            };
            gaps.AddRange(chunk.Holes
                .Where(hole => hole.End > skip)
                .Select(hole => NewGap(claimed + Math.Max(hole.First, skip), claimed + hole.End, GapCause.ChunkDamaged)));
            end = claimed + chunk.Packets;
            pieces.Add(new Piece.OfChunk(new(first, end - first), chunk, skip, problem));
            previous = chunk;
        }

        var recorded = Math.Min(journal.RecordedPackets, maxPackets);
        if (pieces.Count > 0 && recorded > end)
            gaps.Add(NewGap(end, recorded, GapCause.ChunkMissing));
        gaps.AddRange(journal.Gaps
            .Where(gap => gap.StartSeconds < Seconds(end))
            .Take(MaxJournalGaps)
            .Select(gap => gap with { EndSeconds = Math.Min(gap.EndSeconds, Seconds(maxPackets)) }));
        return new(pieces, [.. gaps.Distinct().OrderBy(gap => gap.StartSeconds).ThenBy(gap => gap.EndSeconds)], ignored);
    }

    /// <summary>The plan without the pieces that nothing needs once the file is made. Keeps gaps, damaged chunks and the start time.</summary>
    public ChunkManifest WithoutIntactChunks()
    {
        var start = Chunks.FirstOrDefault(HasStart);
        return this with { Pieces = [.. Chunks.Where(piece => piece == start || piece.Problem is ChunkProblem.Damaged)] };
    }

    public static double Seconds(long packets) => (double)packets / ChunkFormat.PacketsPerSecond;

    private static IgnoreReason? ReasonToIgnore(OggOpusChunk chunk, SessionId session) => chunk switch
    {
        { Bytes: 0 } => IgnoreReason.Empty,
        { IsTooBig: true } => IgnoreReason.TooBig,
        { Session: { } other } when other != session.ToString() => IgnoreReason.OtherSession,
        { Packets: 0 } => IgnoreReason.Unreadable,
        { IsUndecodable: true } => IgnoreReason.Undecodable,
        _ => null,
    };

    // The years keep later arithmetic from overflowing.
    private static bool HasStart(Piece.OfChunk piece) =>
        piece.Chunk.StartedAt?.Year is > 1 and < 9999 && piece.Chunk.FirstPacket == piece.Range.First - piece.Skip;

    /// <summary>Each chunk starts at the position in its tags, or directly after the previous chunk if that is absent or implausible.</summary>
    private static IEnumerable<(OggOpusChunk Chunk, long First)> Locate(IEnumerable<OggOpusChunk> chunks, long maxPackets)
    {
        var end = 0L;
        foreach (var chunk in chunks)
        {
            var first = chunk.FirstPacket is { } claimed && claimed <= maxPackets ? claimed : end;
            end = first + chunk.Packets;
            yield return (chunk, first);
        }
    }

    private static string CauseOfGap(OggOpusChunk? previous, OggOpusChunk next) =>
        previous is { Problem: not null } && previous.Index + 1 == next.Index ? GapCause.ChunkDamaged : GapCause.ChunkMissing;

    private static Gap NewGap(long first, long end, string cause) => new(Seconds(first), Seconds(end), cause);
}

/// <summary>A stretch of the recording's timeline.</summary>
/// <param name="Range">Position in the recording.</param>
[JsonDerivedType(typeof(OfChunk), "chunk")]
[JsonDerivedType(typeof(Silence), "silence")]
internal abstract record Piece(PacketRange Range)
{
    /// <param name="Range">Position in the recording.</param>
    /// <param name="Chunk">Source of the audio.</param>
    /// <param name="Skip">Number of the chunk's first packets to leave out, because the previous chunk holds them too.</param>
    /// <param name="Problem"><see langword="null"/> if the chunk is intact and its position is known.</param>
    public sealed record OfChunk(PacketRange Range, OggOpusChunk Chunk, long Skip, ChunkProblem? Problem) : Piece(Range);

    /// <param name="Range">Position in the recording.</param>
    public sealed record Silence(PacketRange Range) : Piece(Range);
}
