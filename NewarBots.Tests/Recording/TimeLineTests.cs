using CsCheck;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class TimeLineTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Batches_of_a_capture_are_contiguous()
    {
        var timeLine = new TimeLine(new(Start));

        Assert.Equal((0, 0, null), Read(timeLine.Place(Batch("a", Start, first: 0, packets: 12))));
        Assert.Equal((0, 0, null), Read(timeLine.Place(Batch("a", Start, first: 12, packets: 12))));
        Assert.Equal(24, timeLine.Packets);
    }

    [Fact]
    public void A_capture_that_starts_later_leaves_a_gap()
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 50));

        var placement = timeLine.Place(Batch("b", Start.AddSeconds(3.5), first: 0, packets: 12));

        Assert.Equal((125, 0, new Gap(1, 3.5, GapCause.CaptureRestarted)), Read(placement));
    }

    [Fact]
    public void A_capture_in_another_browser_leaves_a_gap_with_that_cause()
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 50));

        var placement = timeLine.Place(Batch("b", Start.AddSeconds(8), first: 0, packets: 12) with { Browser = 1 });

        Assert.Equal((350, 0, new Gap(1, 8, GapCause.BrowserRestarted)), Read(placement));
    }

    [Fact]
    public void Late_batches_of_an_earlier_capture_are_skipped()
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 5_000));
        timeLine.Place(Batch("b", Start.AddSeconds(101), first: 0, packets: 50));

        var late = timeLine.Place(Batch("a", Start, first: 5_000, packets: 12));
        Assert.Equal((0, 12, null), Read(late));
        Assert.Null(late.CaptureBegins);
        Assert.Equal((0, 0, null), Read(timeLine.Place(Batch("b", Start.AddSeconds(101), first: 50, packets: 12))));
        Assert.Equal(5_000 + 50 + 50 + 12, timeLine.Packets);
    }

    [Fact]
    public void Lost_packets_leave_a_gap_and_move_nothing()
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 50));

        var placement = timeLine.Place(Batch("a", Start, first: 75, packets: 12));

        Assert.Equal((25, 0, new Gap(1, 1.5, GapCause.PacketsLost)), Read(placement));
    }

    [Fact]
    public void After_an_hour_packets_are_within_half_a_packet_of_their_time()
    {
        var timeLine = new TimeLine(new(Start));
        for (var first = 0; first < 180_000; first += 12)
            Assert.Equal((0, 0, null), Read(timeLine.Place(Batch("a", Start, first, packets: 12))));

        var begins = TimeSpan.FromHours(1) + TimeSpan.FromMilliseconds(37);
        var placement = timeLine.Place(Batch("b", Start + begins, first: 0, packets: 12));

        Assert.InRange((placement.CaptureBegins!.Value * TimeLinePosition.PacketLength) - begins, TimeSpan.FromMilliseconds(-10), TimeSpan.FromMilliseconds(10));
    }

    [Fact]
    public void Duplicate_packets_are_written_once()
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 50));

        Assert.Equal((0, 10, null), Read(timeLine.Place(Batch("a", Start, first: 40, packets: 20))));
        Assert.Equal(60, timeLine.Packets);
    }

    [Fact]
    public void A_stall_that_the_page_filled_is_a_gap_at_its_position()
    {
        var timeLine = new TimeLine(new(Start, Packets: 100));
        var capture = Batch("b", Start.AddSeconds(2), first: 0, packets: 100) with { Stalls = [new(25, 50)] };

        Assert.Equal((0, 0, new Gap(2.5, 3.5, GapCause.CaptureStalled)), Read(timeLine.Place(capture)));
    }

    [Theory]
    [InlineData(10.2)]
    [InlineData(11.9)]
    [InlineData(35)]
    public void Audio_missing_at_the_end_is_a_gap(double seconds)
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 500));

        Assert.Equal(
            ((long)Math.Round((seconds - 10) * 50), new Gap(10, seconds, GapCause.CaptureStalled)),
            timeLine.End(new(Start.AddSeconds(seconds), GapCause.CaptureStalled)));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(10.1)]
    public void The_last_packets_of_a_stopped_capture_are_no_gap(double seconds)
    {
        var timeLine = new TimeLine(new(Start));
        timeLine.Place(Batch("a", Start, first: 0, packets: 500));

        Assert.Null(timeLine.End(new(Start.AddSeconds(seconds), GapCause.CaptureStalled)));
    }

    [Fact]
    public void A_clock_that_was_set_back_overwrites_nothing()
    {
        var timeLine = new TimeLine(new(Start, Packets: 500));

        Assert.Equal((0, 0, null), Read(timeLine.Place(Batch("b", Start.AddHours(-1), first: 0, packets: 12))));
        Assert.Equal(512, timeLine.Packets);
    }

    [Fact]
    public void The_time_line_grows_by_exactly_what_is_written() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 400], Gen.Int[0, 60]).Array[1, 40].Sample(batches =>
        {
            var timeLine = new TimeLine(new(Start));
            var written = 0L;
            foreach (var (capture, first, packets) in batches)
            {
                var placement = timeLine.Place(Batch($"{capture}", Start.AddSeconds(capture * 5), first, packets));
                Assert.True(placement.Silence >= 0 && placement.Skip >= 0 && placement.Skip <= packets);
                written += placement.Silence + packets - placement.Skip;
                Assert.Equal(written, timeLine.Packets);
            }
        });

    private static (long, int, Gap?) Read(Placement placement) => (placement.Silence, placement.Skip, placement.Gaps.SingleOrDefault());

    private static CapturedBatch Batch(string capture, DateTimeOffset startedAt, long first, int packets) =>
        new()
        {
            Browser = 0,
            Capture = capture,
            StartedAt = startedAt,
            FirstPacket = first,
            Packets = [.. Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[1], packets)],
            Levels = [.. new int[packets]],
        };
}
