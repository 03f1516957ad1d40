using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Recordings;

public sealed class ChunkManifestTests
{
    private const long MaxPackets = 24 * 3600 * 50;

    private static readonly SessionId Session = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001");

    private static readonly DateTimeOffset Start = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Without_chunks_the_plan_is_empty()
    {
        var plan = Plan();

        Assert.Empty(plan.Pieces);
        Assert.Equal(0, plan.Packets);
        Assert.Null(plan.StartedAt);
    }

    [Fact]
    public void Consecutive_chunks_form_a_whole_recording()
    {
        var plan = Plan(Chunk(1), Chunk(0), Chunk(2) with { Packets = 123 });

        Assert.Equal([0, 1, 2], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal(1123, plan.Packets);
        Assert.Equal(Start, plan.StartedAt);
        Assert.Empty(plan.Gaps);
        Assert.All(plan.Chunks, piece => Assert.True(piece is { Skip: 0, Problem: null }));
    }

    [Fact]
    public void A_missing_chunk_becomes_silence_of_its_length_and_a_gap()
    {
        var plan = Plan(Chunk(0), Chunk(2));

        Assert.Equal(new Piece.Silence(new(500, 500)), plan.Pieces[1]);
        Assert.Equal([new Gap(10, 20, "chunk_missing")], plan.Gaps);
        Assert.Equal(1500, plan.Packets);
    }

    [Fact]
    public void A_missing_first_chunk_does_not_change_positions_or_the_start_time()
    {
        var plan = Plan(Chunk(1));

        Assert.Equal([new Gap(0, 10, "chunk_missing")], plan.Gaps);
        Assert.Equal(Start, plan.StartedAt);
    }

    [Fact]
    public void The_journal_reveals_audio_missing_at_the_end()
    {
        var plan = ChunkManifest.Plan(Session, [Chunk(0)], new(RecordedPackets: 700, []), MaxPackets);

        Assert.Equal([new Gap(10, 14, "chunk_missing")], plan.Gaps);
        Assert.Equal(500, plan.Packets);
    }

    [Fact]
    public void Silence_inserted_by_the_recorder_is_a_gap_but_adds_no_length()
    {
        var gap = new Gap(3, 5, "capture_stalled");

        var plan = ChunkManifest.Plan(Session, [Chunk(0)], new(500, [gap, gap, new Gap(11, 12, "packets_lost")]), MaxPackets);

        Assert.Equal([gap], plan.Gaps);
        Assert.Equal(500, plan.Packets);
    }

    [Fact]
    public void Foreign_empty_and_unreadable_chunks_are_ignored_and_listed()
    {
        var plan = Plan(
            Chunk(0),
            Chunk(1) with { Session = "0199aaaabbbbccccddddeeeeffff0002" },
            OggOpusChunk.Empty(2),
            Chunk(3) with { Packets = 0, Problem = ChunkProblem.Damaged });

        Assert.Equal([0], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal(
            [IgnoreReason.OtherSession, IgnoreReason.Empty, IgnoreReason.Unreadable],
            plan.Ignored.Select(ignored => ignored.Why));
    }

    [Fact]
    public void A_copy_of_a_chunk_under_another_number_is_ignored()
    {
        var plan = Plan(Chunk(0), Chunk(7) with { Index = 2 }, Chunk(1), Chunk(3), Chunk(4), Chunk(5), Chunk(6), Chunk(7));

        Assert.Equal([0, 1, 3, 4, 5, 6, 2], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal([new Gap(20, 30, "chunk_missing")], plan.Gaps);
        Assert.Equal([new IgnoredFile("chunk_00007.ogg", IgnoreReason.Doubled, 1000)], plan.Ignored);
        Assert.Equal(4000, plan.Packets);
    }

    [Fact]
    public void Overlapping_audio_is_used_once()
    {
        var plan = Plan(Chunk(0), Chunk(1) with { FirstPacket = 400 });

        var overlapping = plan.Chunks.Last();
        Assert.Equal((new PacketRange(500, 400), 100L, ChunkProblem.Overlapping), (overlapping.Range, overlapping.Skip, overlapping.Problem));
        Assert.Equal(Start, plan.StartedAt);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(long.MaxValue)]
    public void A_chunk_with_an_absent_or_implausible_position_follows_the_previous_chunk(long? claim)
    {
        var plan = Plan(Chunk(0), Chunk(1) with { FirstPacket = claim }, Chunk(2));

        Assert.Equal([0, 1, 2], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal(ChunkProblem.PositionUnknown, plan.Chunks.ElementAt(1).Problem);
        Assert.Empty(plan.Gaps);
        Assert.Equal(1500, plan.Packets);
    }

    [Fact]
    public void A_hole_in_a_chunk_and_a_truncated_end_are_damage_gaps()
    {
        var plan = Plan(
            Chunk(0) with { Holes = [new(50, 100)], Packets = 450, Problem = ChunkProblem.Damaged },
            Chunk(1));

        Assert.Equal([new Gap(1, 3, "chunk_damaged"), new Gap(9, 10, "chunk_damaged")], plan.Gaps);
        Assert.Equal(1000, plan.Packets);
    }

    [Fact]
    public void The_timeline_has_neither_holes_nor_overlaps_and_every_chunk_is_listed_once() =>
        Gen.Select(AnyChunks, AnyJournal).Sample((chunks, journal) =>
        {
            var plan = ChunkManifest.Plan(Session, chunks, journal, MaxPackets);
            var end = 0L;
            foreach (var piece in plan.Pieces)
            {
                Assert.Equal(end, piece.Range.First);
                Assert.True(piece.Range.Count > 0);
                end = piece.Range.End;
            }

            Assert.Equal(end, plan.Packets);
            Assert.Equal(
                chunks.Select(chunk => chunk.File).Order(),
                plan.Chunks.Select(piece => piece.Chunk.File).Concat(plan.Ignored.Select(ignored => ignored.File)).Order());
        });

    [Fact]
    public void Every_gap_has_a_length_and_starts_after_the_previous_one() =>
        Gen.Select(AnyChunks, AnyJournal).Sample((chunks, journal) =>
        {
            var gaps = ChunkManifest.Plan(Session, chunks, journal, MaxPackets).Gaps;

            Assert.All(gaps, gap => Assert.True(gap.StartSeconds >= 0 && gap.EndSeconds > gap.StartSeconds, gap.ToString()));
            Assert.Equal(gaps.OrderBy(gap => gap.StartSeconds), gaps);
        });

    [Fact]
    public void The_order_in_which_chunks_were_found_does_not_matter() =>
        Gen.Select(AnyChunks, AnyChunks.Select(other => other.Length)).Sample((chunks, rotation) =>
        {
            var plan = Plan(chunks);
            var rotated = Plan([.. chunks.Skip(rotation), .. chunks.Take(rotation)]);

            Assert.Equal(plan.Pieces, rotated.Pieces);
            Assert.Equal(plan.Gaps, rotated.Gaps);
            Assert.Equal(plan.Ignored, rotated.Ignored);
            Assert.Equal(plan.StartedAt, rotated.StartedAt);
        });

    [Fact]
    public void The_start_time_comes_from_the_first_chunk_with_a_plausible_time_and_a_known_position() =>
        AnyChunks.Sample(chunks =>
        {
            var plan = Plan(chunks);
            var first = plan.Chunks.FirstOrDefault(piece =>
                piece.Chunk.StartedAt?.Year is > 1 and < 9999 && piece.Chunk.FirstPacket == piece.Range.First - piece.Skip);

            Assert.Equal(first?.Chunk.StartedAt - TimeSpan.FromMilliseconds(20 * first?.Chunk.FirstPacket ?? 0), plan.StartedAt);
        });

    [Fact]
    public void Start_times_that_agree_with_the_positions_give_the_start_of_the_recording() =>
        AnyChunks.Sample(chunks =>
        {
            var plan = Plan([.. chunks.Select(chunk => chunk with { StartedAt = chunk.StartedAt is null ? null : StartOf(chunk.FirstPacket ?? 0) })]);

            Assert.True(plan.StartedAt is null || plan.StartedAt == Start, $"{plan.StartedAt:O}");
        });

    /// <summary>
    /// Chunks with distinct numbers, in any order. Positions are in order, out of order, overlapping, absent or implausible; start
    /// times agree with the position, do not, are implausible, or are absent; chunks are intact, damaged, empty, too big or foreign.
    /// </summary>
    private static Gen<OggOpusChunk[]> AnyChunks { get; } = Gen.Select(
        Gen.Int[0, 20],
        Gen.Frequency((4, Gen.Const((long?)-1)), (4, Gen.Long[0, 8000].Nullable()), (1, Gen.Const((long?)long.MaxValue))),
        Gen.OneOf(
            Gen.Int[-100, 100].Select(seconds => (Func<DateTimeOffset, DateTimeOffset?>)(at => at.AddSeconds(seconds))),
            Gen.Int[0, 3].Select(kind => (Func<DateTimeOffset, DateTimeOffset?>)(at => kind switch
            {
                0 => at,
                1 => null,
                2 => DateTimeOffset.MinValue,
                _ => DateTimeOffset.MaxValue,
            }))),
        Gen.Long[0, 600],
        Gen.Frequency((4, Gen.Const((string?)Session.ToString())), (1, Gen.Const((string?)null)), (1, Gen.Const((string?)"0199aaaabbbbccccddddeeeeffff0002"))),
        Gen.Select(Gen.Enum<ChunkProblem>().Nullable(), Gen.Long[0, 600], Gen.Int[0, 12])).Select((index, position, startedAt, packets, session, damage) =>
        {
            // -1 stands for the position that follows from the number.
            var first = position is -1 ? index * 500 : position;
            var (problem, hole, kind) = damage;
            return kind switch
            {
                0 => OggOpusChunk.Empty(index),
                1 => OggOpusChunk.TooBig(index, 1L << 40),
                _ => Chunk(index) with
                {
                    FirstPacket = first,
                    StartedAt = startedAt(StartOf(first is { } known and < 10_000 ? known : index * 500)),
                    Packets = packets,
                    Session = session,
                    Problem = problem is ChunkProblem.Damaged or ChunkProblem.TornTail ? problem : null,
                    Holes = problem is ChunkProblem.Damaged && hole + 1 < packets ? [new(hole, 1)] : [],
                    IsUndecodable = kind == 2,
                },
            };
        }).Array[0, 12].Select(chunks => chunks.DistinctBy(chunk => chunk.Index).ToArray());

    private static Gen<SessionJournal> AnyJournal { get; } = Gen.Select(
        Gen.Long[0, 12_000],
        Gen.Select(Gen.Int[0, 200], Gen.Int[1, 20], (start, length) => new Gap(start, start + length, "capture_stalled")).List[0, 3],
        (recorded, gaps) => new SessionJournal(recorded, gaps));

    private static DateTimeOffset StartOf(long packet) => Start.AddMilliseconds(20 * packet);

    private static ChunkManifest Plan(params OggOpusChunk[] chunks) => ChunkManifest.Plan(Session, chunks, SessionJournal.Empty, MaxPackets);

    private static OggOpusChunk Chunk(int index) => new(index, Bytes: 1000, Sha256: $"{index}")
    {
        Session = Session.ToString(),
        FirstPacket = index * 500,
        StartedAt = Start.AddSeconds(index * 10),
        Packets = 500,
    };
}
