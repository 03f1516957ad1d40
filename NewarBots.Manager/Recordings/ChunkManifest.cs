using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Which chunks make up a recording and where each of them lies: a pure function over what was found, so that a damaged, empty,
/// doubled, missing or foreign chunk costs only itself and never moves what is behind it.
/// </summary>
/// <param name="Pieces">The whole time line without holes or overlaps, in order; empty: nothing was recorded.</param>
/// <param name="Gaps">What of it is silence because nothing was captured or kept, and what is missing behind its end.</param>
/// <param name="Ignored">The chunks that are not in it.</param>
internal sealed record ChunkManifest(IReadOnlyList<Piece> Pieces, IReadOnlyList<Gap> Gaps, IReadOnlyList<IgnoredFile> Ignored)
{
    /// <summary>A position beyond this is not believed.</summary>
    private static readonly long LongestTimeLine = (long)TimeSpan.FromDays(1).TotalSeconds * ChunkFormat.PacketsPerSecond;

    /// <summary>The recording's length in packets of 20 ms.</summary>
    public long Packets => Pieces is [.., var last] ? last.Range.End : 0;

    public TimeSpan Duration => TimeSpan.FromSeconds(Seconds(Packets));

    public IEnumerable<Piece.OfChunk> Chunks => Pieces.OfType<Piece.OfChunk>();

    /// <summary>Wall-clock time of the time line's begin, by the first chunk that tells it.</summary>
    public DateTimeOffset? StartedAt => Chunks
        .Where(piece => piece.Chunk.StartedAt is not null && piece.Problem is not ChunkProblem.PositionUnknown)
        .Select(piece => piece.Chunk.StartedAt - TimeSpan.FromSeconds(Seconds(piece.Range.First - piece.Skip)))
        .FirstOrDefault();

    /// <summary>No gap, and no chunk that lost something.</summary>
    public bool IsWhole => Gaps.Count == 0
        && Chunks.All(piece => piece.Problem is null)
        && !Ignored.Any(chunk => chunk.Why is IgnoredBecause.TooBig or IgnoredBecause.Unreadable or IgnoredBecause.Undecodable);

    /// <summary>The chunks of which something is in no recording, although somebody with other means may find audio in it.</summary>
    public IEnumerable<string> Damaged => Chunks.Where(piece => piece.Problem is ChunkProblem.Damaged).Select(piece => piece.Chunk.File)
        .Concat(Ignored
            .Where(chunk => chunk.Why is IgnoredBecause.Unreadable or IgnoredBecause.Undecodable or IgnoredBecause.OtherSession)
            .Select(chunk => chunk.File))
        .Order(StringComparer.Ordinal);

    /// <param name="session">Whose chunks they are to be.</param>
    /// <param name="chunks">What was found, in any order.</param>
    /// <param name="journal">What the recorder noted.</param>
    public static ChunkManifest Plan(SessionId session, IEnumerable<OggOpusChunk> chunks, SessionJournal journal)
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
        foreach (var (chunk, claimed) in Locate(usable).OrderBy(located => located.First).ThenBy(located => located.Chunk.Index))
        {
            var skip = Math.Max(0, end - claimed);
            if (skip >= chunk.Packets)
            {
                ignored.Add(new(chunk.File, IgnoredBecause.Doubled, chunk.Bytes));
                continue;
            }

            var first = claimed + skip;
            if (first > end)
            {
                pieces.Add(new Piece.Silence(new(end, first - end)));
                gaps.Add(NewGap(end, first, CauseOfHole(previous, chunk)));
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

        if (pieces.Count > 0 && journal.RecordedPackets > end)
            gaps.Add(NewGap(end, journal.RecordedPackets, GapCause.ChunkMissing));
        gaps.AddRange(journal.Gaps.Where(gap => gap.StartSeconds < Seconds(end)));
        return new(pieces, [.. gaps.Distinct().OrderBy(gap => gap.StartSeconds).ThenBy(gap => gap.EndSeconds)], ignored);
    }

    public static double Seconds(long packets) => (double)packets / ChunkFormat.PacketsPerSecond;

    private static IgnoredBecause? ReasonToIgnore(OggOpusChunk chunk, SessionId session) => chunk switch
    {
        { Bytes: 0 } => IgnoredBecause.Empty,
        { IsTooBig: true } => IgnoredBecause.TooBig,
        { Session: { } other } when other != session.ToString() => IgnoredBecause.OtherSession,
        { Packets: 0 } => IgnoredBecause.Unreadable,
        { IsUndecodable: true } => IgnoredBecause.Undecodable,
        _ => null,
    };

    /// <summary>Each chunk begins where it says; one that does not say so, or nothing believable, behind the one before it.</summary>
    private static IEnumerable<(OggOpusChunk Chunk, long First)> Locate(IEnumerable<OggOpusChunk> chunks)
    {
        var end = 0L;
        foreach (var chunk in chunks)
        {
            var first = chunk.FirstPacket is { } claimed && claimed <= LongestTimeLine ? claimed : end;
            end = first + chunk.Packets;
            yield return (chunk, first);
        }
    }

    private static string CauseOfHole(OggOpusChunk? previous, OggOpusChunk next) =>
        previous is { Problem: not null } && previous.Index + 1 == next.Index ? GapCause.ChunkDamaged : GapCause.ChunkMissing;

    private static Gap NewGap(long first, long end, string cause) => new(Seconds(first), Seconds(end), cause);
}

/// <summary>A stretch of the recording's time line.</summary>
/// <param name="Range">Its place in the recording.</param>
internal abstract record Piece(PacketRange Range)
{
    /// <param name="Range">Its place in the recording.</param>
    /// <param name="Chunk">Where its audio comes from.</param>
    /// <param name="Skip">So many of the chunk's first packets are in the recording already.</param>
    /// <param name="Problem">What is wrong with it.</param>
    public sealed record OfChunk(PacketRange Range, OggOpusChunk Chunk, long Skip, ChunkProblem? Problem) : Piece(Range)
    {
        /// <summary>The file can be taken as it is.</summary>
        public bool IsIntact => Skip == 0 && Chunk.Problem is null;
    }

    /// <param name="Range">Its place in the recording.</param>
    public sealed record Silence(PacketRange Range) : Piece(Range);
}
