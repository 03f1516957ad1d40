using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Recordings;

public sealed class ChunkManifestTests
{
    private static readonly SessionId Session = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001");

    private static readonly DateTimeOffset Start = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void No_chunks_are_no_recording()
    {
        var plan = Plan();

        Assert.Empty(plan.Pieces);
        Assert.Equal(0, plan.Packets);
        Assert.Null(plan.StartedAt);
    }

    [Fact]
    public void Chunks_in_a_row_are_the_recording()
    {
        var plan = Plan(Chunk(1), Chunk(0), Chunk(2) with { Packets = 123 });

        Assert.Equal([0, 1, 2], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal(1123, plan.Packets);
        Assert.Equal(Start, plan.StartedAt);
        Assert.True(plan.IsWhole);
        Assert.All(plan.Chunks, piece => Assert.True(piece.IsIntact));
    }

    [Fact]
    public void A_missing_chunk_is_silence_of_its_length_and_named()
    {
        var plan = Plan(Chunk(0), Chunk(2));

        Assert.Equal(new Piece.Silence(new(500, 500)), plan.Pieces[1]);
        Assert.Equal([new Gap(10, 20, "chunk_missing")], plan.Gaps);
        Assert.Equal(1500, plan.Packets);
        Assert.False(plan.IsWhole);
    }

    [Fact]
    public void A_missing_first_chunk_moves_nothing_and_leaves_the_time_of_day_right()
    {
        var plan = Plan(Chunk(1));

        Assert.Equal([new Gap(0, 10, "chunk_missing")], plan.Gaps);
        Assert.Equal(Start, plan.StartedAt);
    }

    [Fact]
    public void A_missing_end_is_known_from_the_journal()
    {
        var plan = ChunkManifest.Plan(Session, [Chunk(0)], new(RecordedPackets: 700, []));

        Assert.Equal([new Gap(10, 14, "chunk_missing")], plan.Gaps);
        Assert.Equal(500, plan.Packets);
    }

    [Fact]
    public void What_the_recorder_filled_with_silence_is_a_gap_but_adds_no_length()
    {
        var gap = new Gap(3, 5, "capture_stalled");

        var plan = ChunkManifest.Plan(Session, [Chunk(0)], new(500, [gap, gap, new Gap(11, 12, "packets_lost")]));

        Assert.Equal([gap], plan.Gaps);
        Assert.Equal(500, plan.Packets);
    }

    [Fact]
    public void A_chunk_of_another_session_an_empty_one_and_an_unreadable_one_are_ignored_and_named()
    {
        var plan = Plan(
            Chunk(0),
            Chunk(1) with { Session = "0199aaaabbbbccccddddeeeeffff0002" },
            OggOpusChunk.Empty(2),
            Chunk(3) with { Packets = 0, Problem = ChunkProblem.Damaged });

        Assert.Equal([0], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal(
            [IgnoredBecause.OtherSession, IgnoredBecause.Empty, IgnoredBecause.Unreadable],
            plan.Ignored.Select(ignored => ignored.Why));
    }

    [Fact]
    public void A_copy_under_another_number_is_ignored_and_costs_nothing_but_what_it_overwrote()
    {
        var plan = Plan(Chunk(0), Chunk(7) with { Index = 2 }, Chunk(1), Chunk(3), Chunk(4), Chunk(5), Chunk(6), Chunk(7));

        Assert.Equal([0, 1, 3, 4, 5, 6, 2], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal([new Gap(20, 30, "chunk_missing")], plan.Gaps);
        Assert.Equal([new IgnoredFile("chunk_00007.ogg", IgnoredBecause.Doubled, 1000)], plan.Ignored);
        Assert.Equal(4000, plan.Packets);
    }

    [Fact]
    public void What_two_chunks_both_hold_is_used_once()
    {
        var plan = Plan(Chunk(0), Chunk(1) with { FirstPacket = 400 });

        var overlapping = plan.Chunks.Last();
        Assert.Equal((new PacketRange(500, 400), 100L, ChunkProblem.Overlapping), (overlapping.Range, overlapping.Skip, overlapping.Problem));
        Assert.Equal(Start, plan.StartedAt);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(long.MaxValue)]
    public void A_chunk_that_does_not_believably_say_where_it_belongs_follows_the_one_before_it(long? claim)
    {
        var plan = Plan(Chunk(0), Chunk(1) with { FirstPacket = claim }, Chunk(2));

        Assert.Equal([0, 1, 2], plan.Chunks.Select(piece => piece.Chunk.Index));
        Assert.Equal(ChunkProblem.PositionUnknown, plan.Chunks.ElementAt(1).Problem);
        Assert.Empty(plan.Gaps);
        Assert.Equal(1500, plan.Packets);
    }

    [Fact]
    public void A_hole_within_a_chunk_and_a_torn_end_before_the_next_are_named_as_damage()
    {
        var plan = Plan(
            Chunk(0) with { Holes = [new(50, 100)], Packets = 450, Problem = ChunkProblem.Damaged },
            Chunk(1));

        Assert.Equal([new Gap(1, 3, "chunk_damaged"), new Gap(9, 10, "chunk_damaged")], plan.Gaps);
        Assert.Equal(1000, plan.Packets);
    }

    [Fact]
    public void Whatever_lies_there_the_time_line_has_neither_holes_nor_overlaps_and_every_chunk_is_named_once()
    {
        var chunk = Gen.Select(Gen.Int[0, 20], Gen.Long[0, 8000].Nullable(), Gen.Long[0, 600], Gen.Bool).Select(
            (index, first, packets, ours) => Chunk(index) with
            {
                FirstPacket = first,
                Packets = packets,
                Session = ours ? Session.ToString() : "0199aaaabbbbccccddddeeeeffff0002",
            });

        chunk.Array[0, 12].Select(chunks => chunks.DistinctBy(c => c.Index).ToArray()).Sample(chunks =>
        {
            var plan = Plan(chunks);
            var end = 0L;
            foreach (var piece in plan.Pieces)
            {
                Assert.Equal(end, piece.Range.First);
                Assert.True(piece.Range.Count > 0);
                end = piece.Range.End;
            }

            Assert.Equal(end, plan.Packets);
            Assert.Equal(
                chunks.Select(c => c.File).Order(),
                plan.Chunks.Select(piece => piece.Chunk.File).Concat(plan.Ignored.Select(ignored => ignored.File)).Order());
        });
    }

    private static ChunkManifest Plan(params OggOpusChunk[] chunks) => ChunkManifest.Plan(Session, chunks, SessionJournal.Empty);

    private static OggOpusChunk Chunk(int index) => new(index, Bytes: 1000, Sha256: $"{index}")
    {
        Session = Session.ToString(),
        FirstPacket = index * 500,
        StartedAt = Start.AddSeconds(index * 10),
        Packets = 500,
    };
}
