using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;
using static NewarBots.Tests.Rehearsal.TimeCodeFaultKind;

namespace NewarBots.Tests.Rehearsal;

public sealed class TimeCodeReportTests
{
    private static readonly float[] Meeting = TimeCodeSound.Generate(45);

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(1999.75)]
    public void Complete_recording_is_clean_wherever_it_begins(double from)
    {
        var report = TimeCodeReport.Of(TimeCodeSound.Generate(25, from), participants: 3);

        Assert.True(report.IsClean, report.ToString());
        Assert.Equal(((long)from, (long)(from + 24.99)), report.Range);
        Assert.Equal(-from, report.Offset, tolerance: 0.01);
        Assert.InRange(report.LargestDeviation, 0, 0.01);
        Assert.InRange(report.DriftPerHour, -0.5, 0.5);
    }

    [Fact]
    public void Silence_around_the_meeting_is_not_a_fault()
    {
        var report = ReportOf(TimeCodeSound.Silence(3.21), Meeting, TimeCodeSound.Silence(5));

        Assert.True(report.IsClean, report.ToString());
        Assert.Equal((45, (0, 44)), (report.SecondsHeard, report.Range));
        Assert.Equal(3.21, report.Offset, tolerance: 0.01);
    }

    [Fact]
    public void Removed_second_is_missing_and_the_rest_is_early()
    {
        var report = ReportOf(Meeting.Part(0, 30), Meeting.Part(31));

        AssertFaults(report, Missing, [30], 1);
        AssertFaults(report, Misplaced, Seconds(32, 44), -1);
        Assert.Empty(Of(report, Doubled));
        Assert.False(report.IsIntact);
    }

    [Fact]
    public void Cut_across_two_seconds_makes_half_of_each_missing()
    {
        var report = ReportOf(Meeting.Part(0, 30.5), Meeting.Part(31.5));

        AssertFaults(report, Missing, [30, 31], 0.5);
        Assert.False(report.IsIntact);
    }

    [Fact]
    public void Repeated_second_is_doubled_and_the_rest_is_late()
    {
        var report = ReportOf(Meeting.Part(0, 31), Meeting.Part(30));

        AssertFaults(report, Doubled, [30], 1);
        AssertFaults(report, Misplaced, Seconds(31, 44), 1);
        Assert.Empty(Of(report, Missing));
        Assert.False(report.IsIntact);
    }

    [Fact]
    public void Five_missing_packets_are_found()
    {
        var report = ReportOf(Meeting.Part(0, 30.3), Meeting.Part(30.4));

        AssertFaults(report, Missing, [30], 0.1);
        AssertFaults(report, Misplaced, Seconds(31, 44), -0.1);
    }

    [Fact]
    public void Five_repeated_packets_are_found()
    {
        var report = ReportOf(Meeting.Part(0, 30.4), Meeting.Part(30.3));

        AssertFaults(report, Doubled, [30], 0.1);
    }

    [Fact]
    public void Five_silent_packets_are_found_and_shift_nothing()
    {
        var report = ReportOf(Meeting.Part(0, 30.3), TimeCodeSound.Silence(0.1), Meeting.Part(30.4));

        AssertFaults(report, Missing, [30], 0.1);
        Assert.Empty(Of(report, Misplaced));
    }

    [Fact]
    public void Shift_of_40_ms_is_tolerated_as_jitter_and_measured()
    {
        var report = ReportOf(Meeting.Part(0, 30), TimeCodeSound.Silence(0.04), Meeting.Part(30));

        Assert.True(report.IsClean, report.ToString());
        Assert.Equal(0.04, report.LargestDeviation, tolerance: 0.01);
    }

    [Fact]
    public void Shift_of_200_ms_is_misplaced()
    {
        var report = ReportOf(Meeting.Part(0, 30), TimeCodeSound.Silence(0.2), Meeting.Part(30));

        AssertFaults(report, Misplaced, Seconds(31, 44), 0.2);
        Assert.DoesNotContain(report.Faults, fault => fault.Kind is not Misplaced);
        Assert.True(report.IsIntact);
    }

    [Fact]
    public void Missing_chunk_as_long_as_a_voices_period_is_found()
    {
        var report = ReportOf(Meeting.Part(0, 20), Meeting.Part(31));

        AssertFaults(report, Missing, Seconds(20, 30), 1);
        Assert.Equal((0, 44), report.Range);
    }

    [Fact]
    public void Swapped_chunks_are_misplaced()
    {
        var report = ReportOf(Meeting.Part(0, 10), Meeting.Part(20, 30), Meeting.Part(10, 20), Meeting.Part(30));

        AssertFaults(report, Misplaced, [.. Seconds(11, 19), .. Seconds(21, 29)], second => second < 20 ? 10 : -10);
        Assert.Empty(Of(report, Missing));
    }

    [Fact]
    public void Silent_participant_is_missing_in_every_second()
    {
        var report = TimeCodeReport.Of(TimeCodeSound.Generate(20, from: 0, participants: [0, 2]), participants: 3);

        Assert.Equal(Seconds(2, 18), report.Faults.Select(fault => fault.Second));
        Assert.All(report.Faults, fault => Assert.True(fault is { Kind: Missing, Participant: 1, Amount: 1 }, $"{fault}"));
    }

    [Fact]
    public void Participant_delayed_by_200_ms_is_misplaced()
    {
        var others = TimeCodeSound.Generate(20, from: 0, participants: [0, 2]);
        float[] late = [.. TimeCodeSound.Silence(0.2), .. TimeCodeSound.Generate(19.8, from: 0, participants: [1])];

        var report = TimeCodeReport.Of([.. others.Zip(late, (a, b) => a + b)], participants: 3);

        Assert.Equal(Seconds(2, 19), report.Faults.Select(fault => fault.Second));
        Assert.All(
            report.Faults,
            fault => Assert.True(fault is { Kind: Misplaced, Participant: 1, Amount: > 0.19 and < 0.21 }, $"{fault}"));
    }

    [Fact]
    public void Clock_drift_is_measured()
    {
        // Leaving out every thousandth sample makes the clock 0.1 % fast.
        var report = TimeCodeReport.Of([.. Meeting.Where((_, i) => i % 1000 != 999)], participants: 3);

        Assert.Equal(-3.6, report.DriftPerHour, tolerance: 0.4);
    }

    [Fact]
    public void Faults_at_declared_gaps_are_excused_and_all_others_are_not()
    {
        Gap[] gaps = [new(StartSeconds: 3 + 20.2, EndSeconds: 3 + 22.7, GapCause.CaptureStalled)];
        var report = ReportOf(
            TimeCodeSound.Silence(3), Meeting.Part(0, 20.2), TimeCodeSound.Silence(2.5), Meeting.Part(22.7, 30), TimeCodeSound.Silence(1), Meeting.Part(31));

        Assert.Equal([20, 21, 22, 30], Of(report, Missing).Select(fault => fault.Second).Distinct());
        Assert.Equal([21, 30], report.Lost(0, 44));
        var besides = report.Besides(gaps);
        AssertFaults(besides, Missing, [30], 1);
        Assert.Equal([30], besides.Lost(0, 44));
        Assert.Equal([30, 45, 46], besides.Lost(25, 46));
    }

    [Fact]
    public void Silent_recording_is_not_clean() => Assert.Equal(
        [Missing, Missing], TimeCodeReport.Of(TimeCodeSound.Silence(10), participants: 2).Faults.Select(fault => fault.Kind));

    [Fact]
    public void Participants_are_expected_only_during_their_turns_and_presence()
    {
        RehearsalParticipant[] expected =
        [
            new("", TimeCode.Voices[0], Speaks: [new(0, 5)], SpeaksEvery: 10),
            new("", TimeCode.Voices[1], JoinsAt: 5, LeavesAt: 15),
        ];
        var samples = TimeCodeSound.Silence(20);
        foreach (var (participant, from, to) in new[] { (0, 0.0, 5.0), (1, 5.2, 15), (0, 10, 15) })
        {
            var voice = TimeCodeSound.Generate(to - from, from, participant);
            for (var i = 0; i < voice.Length; i++)
                samples[(int)(from * AudioFile.SampleRate) + i] += voice[i];
        }

        var report = TimeCodeReport.Of(samples, expected);
        Assert.True(report is { IsClean: true, IsIntact: true, SecondsHeard: 15 }, report.ToString());
        var always = TimeCodeReport.Of(samples, participants: 2);
        Assert.Equal(Seconds(5, 9), Of(always, Missing).Where(fault => fault.Participant == 0).Select(fault => fault.Second));
        var never = TimeCodeReport.Of(samples, [expected[0] with { Speaks = [] }, expected[1]]);
        Assert.Equal([0, 1, 2, 3, 4, 10, 11, 12, 13, 14], Of(never, Unexpected).Select(fault => fault.Second));
    }

    [Fact]
    public async Task Four_voices_survive_Opus_encoding()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.ogg");
        try
        {
            await AudioFile.EncodeOpusAsync(TimeCodeSound.Generate(40, from: 7.5, participants: [0, 1, 2, 3]), path);

            var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(path), participants: 4);

            Assert.True(report.IsClean, report.ToString());
            Assert.Equal((7, 47), report.Range);
            Assert.InRange(report.LargestDeviation, 0, 0.01);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Report_merges_a_continuing_fault_into_one_line()
    {
        var text = TimeCodeReport.Of([.. Meeting.Part(0, 30), .. Meeting.Part(31)], participants: 1).ToString();

        Assert.EndsWith(
            """
              Missing: participant 0, second 30, +1.000 s
              Misplaced: participant 0, seconds 32 to 44, -1.000 s
            """,
            text,
            StringComparison.Ordinal);
    }

    /// <summary>For three participants and the concatenated parts.</summary>
    private static TimeCodeReport ReportOf(params float[][] parts) => TimeCodeReport.Of([.. parts.SelectMany(part => part)], 3);

    private static IEnumerable<TimeCodeFault> Of(TimeCodeReport report, TimeCodeFaultKind kind) =>
        report.Faults.Where(fault => fault.Kind == kind);

    private static IEnumerable<long> Seconds(int first, int last) =>
        Enumerable.Range(first, last - first + 1).Select(second => (long)second);

    private static void AssertFaults(TimeCodeReport report, TimeCodeFaultKind kind, IEnumerable<long> seconds, double amount) =>
        AssertFaults(report, kind, [.. seconds], _ => amount);

    /// <summary>Expects the same faults for all three participants.</summary>
    private static void AssertFaults(TimeCodeReport report, TimeCodeFaultKind kind, long[] seconds, Func<long, double> amount)
    {
        Assert.Equal(
            Enumerable.Range(0, 3).SelectMany(participant => seconds.Select(second => (participant, second))),
            Of(report, kind).Select(fault => (fault.Participant, fault.Second)));
        Assert.All(Of(report, kind), fault => Assert.Equal(amount(fault.Second), fault.Amount, tolerance: 0.03));
    }
}
