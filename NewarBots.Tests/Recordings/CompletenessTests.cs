using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class CompletenessTests
{
    private const double Length = 100;

    [Fact]
    public void A_recording_without_gaps_is_complete_and_misses_nothing()
    {
        Assert.Equal(new(0, IsComplete: true, 0), Of());
    }

    [Theory]
    [InlineData(10, 10.14, true)]
    [InlineData(10, 10.5, true)]
    [InlineData(1.2, 1.7, true)]
    [InlineData(10, 10.52, false)]
    [InlineData(0, 0.5, true)]
    [InlineData(99.5, 100, true)]
    public void Half_a_second_at_once_may_be_missing(double start, double end, bool isComplete)
    {
        var result = Of(new Gap(start, end, GapCause.CaptureStalled));

        Assert.Equal(isComplete, result.IsComplete);
        Assert.Equal(end - start, result.MissingSeconds, precision: 2);
    }

    [Theory]
    [InlineData(0.2, true)]
    [InlineData(0.22, false)]
    public void A_second_in_total_may_be_missing(double length, bool isComplete)
    {
        Gap[] gaps = [.. Enumerable.Range(1, 5).Select(index => new Gap(index * 10, (index * 10) + length, GapCause.PacketsLost))];

        Assert.Equal((Math.Round(5 * length, 2), isComplete), (Of(gaps).MissingSeconds, Of(gaps).IsComplete));
    }

    [Fact]
    public void Overlapping_gaps_count_once()
    {
        var result = Of(new(10, 14, GapCause.NotHeard), new(12, 16, GapCause.CaptureStalled), new(11, 12, GapCause.PacketsLost), new(50, 51, GapCause.NotHeard));

        Assert.Equal(new(7, IsComplete: false, 5), result);
    }

    [Fact]
    public void Gaps_that_touch_are_one_gap()
    {
        Assert.False(Of(new(10, 10.4, GapCause.NotHeard), new(10.4, 10.8, GapCause.CaptureStalled)).IsComplete);
        Assert.True(Of(new(10, 10.4, GapCause.NotHeard), new(10.5, 10.9, GapCause.CaptureStalled)).IsComplete);
    }

    [Theory]
    [InlineData(0, 0.04)]
    [InlineData(100, 100.04)]
    [InlineData(99.96, 100)]
    public void A_lost_piece_of_the_start_or_the_end_is_never_complete(double start, double end)
    {
        Assert.False(Of(new Gap(start, end, GapCause.ChunkMissing)).IsComplete);
        Assert.True(Of(new Gap(start, end, GapCause.CaptureStalled)).IsComplete);
    }

    [Fact]
    public void A_recorder_that_crashed_may_have_lost_the_end()
    {
        Assert.Equal(new(0, IsComplete: false, 0), Completeness.Of(Manifest(), endedCleanly: false));
    }

    [Theory]
    [InlineData(nameof(IgnoreReason.TooBig), false)]
    [InlineData(nameof(IgnoreReason.TooLong), false)]
    [InlineData(nameof(IgnoreReason.Unreadable), false)]
    [InlineData(nameof(IgnoreReason.Undecodable), false)]
    [InlineData(nameof(IgnoreReason.Empty), true)]
    [InlineData(nameof(IgnoreReason.Doubled), true)]
    [InlineData(nameof(IgnoreReason.SymbolicLink), true)]
    [InlineData(nameof(IgnoreReason.OtherSession), true)]
    public void An_unreadable_chunk_is_a_loss_of_unknown_length(string why, bool isComplete)
    {
        var manifest = Manifest() with { Ignored = [new("chunk_00004.ogg", Enum.Parse<IgnoreReason>(why), 1000)] };

        Assert.Equal(isComplete, Completeness.Of(manifest, endedCleanly: true).IsComplete);
    }

    [Theory]
    [InlineData(nameof(ChunkProblem.Overlapping), true, true)]
    [InlineData(nameof(ChunkProblem.PositionUnknown), false, false)]
    [InlineData(nameof(ChunkProblem.TornTail), true, false)]
    [InlineData(nameof(ChunkProblem.Damaged), true, false)]
    public void A_damaged_chunk_counts_by_its_gaps_unless_it_is_the_last(string problem, bool inTheMiddle, bool atTheEnd)
    {
        Assert.Equal(inTheMiddle, With(Chunk(0), Chunk(1, Enum.Parse<ChunkProblem>(problem)), Chunk(2)));
        Assert.Equal(atTheEnd, With(Chunk(0), Chunk(1), Chunk(2, Enum.Parse<ChunkProblem>(problem))));

        static bool With(params ManifestChunk[] chunks) => Completeness.Of(Manifest() with { Chunks = chunks }, endedCleanly: true).IsComplete;
    }

    [Fact]
    public void The_same_loss_in_any_order_and_any_pieces_is_the_same()
    {
        var stretches =
            from start in Gen.Int[0, 90_00]
            from length in Gen.Int[1, 10_00]
            select (Start: start / 100.0, End: (start + length) / 100.0);

        Gen.Select(stretches.Array[1, 12], Gen.Int[0, int.MaxValue]).Sample((gaps, seed) =>
        {
            var whole = Of([.. gaps.Select(gap => new Gap(gap.Start, gap.End, GapCause.NotHeard))]);
            Gap[] pieces =
            [
                .. gaps.SelectMany(gap => new[]
                {
                    new Gap(gap.Start, (gap.Start + gap.End) / 2, GapCause.NotHeard), new Gap((gap.Start + gap.End) / 2, gap.End, GapCause.NotHeard),
                }),
            ];
            new Random(seed).Shuffle(pieces);
            Assert.Equal(whole, Of(pieces));
            Assert.InRange(whole.MissingSeconds, gaps.Max(gap => gap.End - gap.Start) - 0.01, gaps.Sum(gap => gap.End - gap.Start) + 0.01);
        });
    }

    [Fact]
    public void A_recorder_cannot_report_an_absurd_loss()
    {
        Assert.InRange(Of(new Gap(5, double.MaxValue, GapCause.NotHeard), new Gap(1e300, 1e308, GapCause.NotHeard)).MissingSeconds, 100, 100_000);
    }

    [Fact]
    public void A_bot_that_did_not_hear_keeps_a_warning_with_the_lost_seconds()
    {
        var deaf = Completeness.Of(Manifest() with { DurationSeconds = 55, Gaps = [new(2.1, 55, GapCause.NotHeard)] }, endedCleanly: true);

        Assert.Equal(
            new RecordingWarning(EndReason.NoAudio, "52.9 of 55.0 s are missing. The bot received audio that it could not capture, or its connection to the call was lost."), deaf.Warning(last: null, 55));
        Assert.Equal(
            new RecordingWarning(EndReason.NoAudio, "52.9 of 55.0 s are missing. Track 1 is not captured."), deaf.Warning(new(EndReason.NoAudio, "Track 1 is not captured."), 55));
    }

    [Fact]
    public void A_lost_network_is_a_warning_too()
    {
        var lost = Of(new(10, 14, GapCause.NetworkLost), new(12, 15, GapCause.NotHeard));

        Assert.Equal(new(5, IsComplete: false, 5), lost);
        Assert.StartsWith("5.0 of 100.0 s are missing. ", lost.Warning(last: null, Length)!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_short_stall_is_no_warning()
    {
        Assert.Null(Of(new Gap(10, 10.3, GapCause.NotHeard)).Warning(last: null, Length));
        Assert.Null(Of(new Gap(10, 15, GapCause.CaptureStalled)).Warning(last: null, Length));
    }

    [Fact]
    public void A_warning_of_any_length_stays_one_short_text()
    {
        var warning = Of(new Gap(10, 60, GapCause.NotHeard)).Warning(new BotWarning(EndReason.NoAudio, new string('x', 100_000)), Length)!;

        Assert.InRange(warning.Text.Length, 500, 600);
    }

    private static Completeness Of(params Gap[] gaps) => Completeness.Of(Manifest() with { Gaps = gaps }, endedCleanly: true);

    private static ManifestChunk Chunk(int index, ChunkProblem? problem = null) =>
        new(index, ChunkFormat.FileName(index), "sha", 1000, index * 10, 10, Problem: problem);

    private static RecordingManifest Manifest() => new()
    {
        SessionId = SampleBots.Queued().Id,
        UserId = UserId.Default,
        MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
        BotName = "Notes",
        Platform = Platform.GoogleMeet,
        Metadata = new Dictionary<string, string>(),
        DurationSeconds = Length,
        AudibleSeconds = 50,
        Format = "ogg",
        Bytes = 1000,
        Sha256 = "sha",
        Chunks = [],
        Gaps = [],
        Ignored = [],
    };
}
