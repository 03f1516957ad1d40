using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Fixtures.Sfu;
using NewarBots.Tests.Lives;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container, in calls through a real media server over a network that fails in every way.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
[Trait("Suite", "Long")]
public sealed class SfuCallTests
{
    private static readonly string[] Names = ["Ada", "Grace", "Edsger"];

    private static readonly TimeCodeVoice[] Voices = [.. TimeCode.Voices.Take(Names.Length)];

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);

    /// <summary>How far the time of a speaker may be from the voice in the recording, in seconds.</summary>
    private const double SpeakerTolerance = 1;

    /// <summary>Pauses within a voice, in seconds: between the tones of two seconds, and packets that are lost.</summary>
    private const double VoicePause = 0.5;

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.05, 40, 60)]
    [InlineData(0.2, 80, 140)]
    public async Task A_bad_network_loses_no_second(double loss, int delay, int jitter)
    {
        await using var call = await SfuCall.StartAsync();
        await JoinAllAsync(call);
        await using var recorder = await RecordAsync(call);
        await recorder.UntilRecordedAsync(5);

        (call.Network.Loss, call.Network.Delay, call.Network.Jitter) = (loss, TimeSpan.FromMilliseconds(delay), TimeSpan.FromMilliseconds(jitter));
        await recorder.UntilRecordedAsync(35);
        await EndAsync(recorder);

        var report = (await ReportAsync(recorder)).Besides(recorder.Gaps());
        Assert.False(
            report.Faults.Any(fault => fault.Kind is TimeCodeFaultKind.Missing or TimeCodeFaultKind.Doubled && Math.Abs(fault.Amount) > 0.5),
            $"{report}\n{string.Join('\n', report.Faults)}\n{string.Join('\n', recorder.Gaps())}");
        Assert.InRange(report.SecondsHeard + recorder.SecondsStalled(), 33, double.MaxValue);
        recorder.AssertOnlyStalls();
        Assert.Equal(loss > 0, call.Network.Dropped > 0);
        await AssertSpeakersAsync(recorder, Names);
    }

    [Theory]
    [InlineData(10, false, true)]
    [InlineData(10, false, false)]
    [InlineData(40, false, true)]
    [InlineData(25, true, true)]
    public async Task An_outage_is_a_gap_and_nothing_else_is_missing(int seconds, bool isContainerOffItsNetwork, bool recovers)
    {
        await using var call = await SfuCall.StartAsync();
        await JoinAllAsync(call);
        await using var recorder = await RecordAsync(call, recovers);
        await recorder.UntilRecordedAsync(8);

        var cut = Recorded(recorder);
        await SetNetworkAsync(isConnected: false);
        await recorder.UntilRecordedAsync(cut + seconds);
        await SetNetworkAsync(isConnected: true);
        await Eventually.TrueAsync(() => recorder.Gaps().Any(IsNetwork) && recorder.IsWell, Timeout);
        await recorder.UntilRecordedAsync(Recorded(recorder) + 10);
        await EndAsync(recorder);

        var gap = recorder.NetworkGap();
        Assert.InRange(gap.StartSeconds, cut - 1, cut + 6);
        Assert.InRange(gap.EndSeconds - gap.StartSeconds, seconds - 2, seconds + 12);
        await AssertOnlyTheGapIsMissingAsync(recorder, gap);
        // A warning comes once the connection has failed, after 16 s, or has been away for 20 s.
        var length = gap.EndSeconds - gap.StartSeconds;
        if (length is < 15 or > 21)
            Assert.Equal(length > 21, recorder.Statuses().Any(status => status.Reason is EndReason.NoAudio));

        async Task SetNetworkAsync(bool isConnected)
        {
            if (isContainerOffItsNetwork)
                await recorder.SetNetworkAsync(isConnected);
            else
                call.Network.IsCut = !isConnected;
        }
    }

    [Fact]
    public async Task Where_the_page_does_not_recover_the_bot_joins_again()
    {
        await using var call = await SfuCall.StartAsync();
        await JoinAllAsync(call);
        await using var recorder = await RecordAsync(call, leave: new() { SilenceTimeout = TimeSpan.FromSeconds(30) });
        await recorder.UntilRecordedAsync(12);

        call.Network.IsCut = true;
        var cut = Recorded(recorder);
        await recorder.UntilRecordedAsync(cut + 40);
        call.Network.IsCut = false;
        await Eventually.TrueAsync(() => recorder.Statuses().Any(IsRejoin) && recorder.IsWell, Timeout);
        await recorder.UntilRecordedAsync(Recorded(recorder) + 25);
        await EndAsync(recorder);

        Assert.Single(recorder.Statuses(), IsRejoin);
        var gap = recorder.NetworkGap();
        Assert.InRange(gap.StartSeconds, cut - 1, cut + 6);
        Assert.InRange(gap.EndSeconds - gap.StartSeconds, 55, 85);
        var (before, after) = Beside(await recorder.AudioAsync(), gap, settling: 5);
        foreach (var (voice, part) in Voices.SelectMany(voice => new[] { (voice, before), (voice, after) }))
            Assert.InRange(SecondsOf(part, voice).Sum(second => second.Length) + recorder.SecondsStalled(), 0.8 * part.Length / AudioFile.SampleRate, double.MaxValue);
        await AssertSilentAndInPlaceAsync(recorder, gap, settling: 5);
    }

    [Fact]
    public async Task With_UDP_blocked_the_bot_warns_and_joins_again_and_never_believes_the_silence()
    {
        await using var call = await SfuCall.StartAsync();
        await JoinAllAsync(call);
        call.Network.IsCut = true;
        await using var recorder = await RecordAsync(call, leave: new() { SilenceTimeout = TimeSpan.FromSeconds(30) });

        await Eventually.TrueAsync(() => recorder.Statuses().Any(IsRejoin), Timeout);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.EndedByGuess, await recorder.ExitCodeAsync());
        Assert.Contains(recorder.Statuses(), status => status is { Status: BotStatus.Recording, Reason: EndReason.NoAudio });
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
        var gap = recorder.NetworkGap();
        Assert.InRange(gap.StartSeconds, 0, 3);
        Assert.InRange(gap.EndSeconds, 58, double.MaxValue);
    }

    [Fact]
    public async Task Publishers_who_reload_come_late_and_leave_are_no_outage()
    {
        await using var call = await SfuCall.StartAsync();
        await JoinAllAsync(call);
        await using var recorder = await RecordAsync(call);
        await recorder.UntilRecordedAsync(8);

        foreach (var name in Names)
            await call.LeaveAsync(name);
        await JoinAllAsync(call);
        await call.JoinAsync("Barbara", 3);
        await recorder.UntilRecordedAsync(Recorded(recorder) + 12);
        await call.LeaveAsync("Ada");
        await recorder.UntilRecordedAsync(Recorded(recorder) + 10);
        foreach (var name in (string[])[.. Names, "Barbara"])
            await call.LeaveAsync(name);
        await recorder.ExitCodeAsync(Timeout);

        Assert.Equal(EndReason.EveryoneLeft, recorder.Statuses()[^1].Reason);
        recorder.AssertOnlyStalls();
        var heard = MeetingSeconds.Read(await recorder.AudioAsync(), TimeCode.Voices);
        Assert.InRange(heard[3].Sum(second => second.Length), 15, 40);
        await AssertSpeakersAsync(recorder, [.. Names, "Barbara"]);
    }

    [Fact]
    public async Task Participants_who_send_nothing_while_they_are_silent_are_no_outage()
    {
        await using var call = await SfuCall.StartAsync();
        for (var i = 0; i < Names.Length; i++)
            await call.JoinAsync(Names[i], i, (Every: 30, From: 10 * i, To: (10 * i) + 5), dtx: true);
        await using var recorder = await RecordAsync(call);

        await recorder.UntilRecordedAsync(61);
        await EndAsync(recorder);

        recorder.AssertOnlyStalls();
        // In a minute, each speaks twice for 5 s.
        var heard = MeetingSeconds.Read(await recorder.AudioAsync(), Voices);
        Assert.All(heard, voice => Assert.InRange(voice.Sum(second => second.Length) + recorder.SecondsStalled(), 8, double.MaxValue));
        await AssertSpeakersAsync(recorder, Names, areNamed: true);
    }

    private static async Task JoinAllAsync(SfuCall call)
    {
        for (var i = 0; i < Names.Length; i++)
            await call.JoinAsync(Names[i], i);
    }

    private static Task<RealRecorder> RecordAsync(SfuCall call, bool recovers = false, LeaveConditions? leave = null) =>
        RealRecorder.StartAsync(SfuCall.Html(recovers), leave: leave, map: call.Map);

    private static async Task EndAsync(RealRecorder recorder)
    {
        await recorder.StopAsync();
        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
    }

    private static async Task<TimeCodeReport> ReportAsync(RealRecorder recorder) => ReportOf(await recorder.AudioAsync());

    private static TimeCodeReport ReportOf(float[] audio) =>
        TimeCodeReport.Of(audio, Names.Length, placeTolerance: LiveAudio.Stretch, lengthTolerance: LiveAudio.Stretch);

    /// <summary>
    /// The audio before and after the gap is read separately, because the reader of the time code cannot follow the voices across a minute of
    /// silence in which a busy machine has delayed them.
    /// </summary>
    private static async Task AssertOnlyTheGapIsMissingAsync(RealRecorder recorder, Gap gap)
    {
        const double settling = 1.5;
        var (before, after) = Beside(await recorder.AudioAsync(), gap, settling);
        foreach (var (part, start) in new[] { (before, 0), (after, gap.EndSeconds + settling) })
        {
            var stalls = recorder.Gaps().Select(stall => stall with { StartSeconds = stall.StartSeconds - start, EndSeconds = stall.EndSeconds - start });
            var report = ReportOf(part).Besides(stalls);
            // The page plays a second of its time code late if the machine is busy.
            Assert.DoesNotContain(report.Faults, fault => fault is { Kind: TimeCodeFaultKind.Missing, Amount: > 0.9 });
            Assert.InRange(report.SecondsHeard, ((double)part.Length / AudioFile.SampleRate) - 4, double.MaxValue);
        }

        await AssertSilentAndInPlaceAsync(recorder, gap, settling);
    }

    /// <summary>The gap is silent, and as long as what is missing, so later seconds are at their time.</summary>
    private static async Task AssertSilentAndInPlaceAsync(RealRecorder recorder, Gap gap, double settling)
    {
        var audio = await recorder.AudioAsync();
        var (before, after) = Beside(audio, gap, settling);
        foreach (var voice in Voices)
            Assert.InRange(Math.IEEERemainder(gap.EndSeconds + settling + Offset(after, voice) - Offset(before, voice), voice.Seconds), -1.5, 1.5);
        var middle = (int)((gap.StartSeconds + gap.EndSeconds) / 2 * AudioFile.SampleRate);
        Assert.InRange(audio[middle..(middle + AudioFile.SampleRate)].Max(Math.Abs), 0, 0.01);
    }

    /// <summary>The audio before and after the gap, and the seconds in which it settles.</summary>
    private static (float[] Before, float[] After) Beside(float[] audio, Gap gap, double settling) =>
        (audio[..(int)((gap.StartSeconds - 0.5) * AudioFile.SampleRate)], audio[(int)((gap.EndSeconds + settling) * AudioFile.SampleRate)..]);

    /// <summary>
    /// A voice by itself, so that the delays of the others do not mislead the reader. Its seconds are known except for multiples of its period.
    /// </summary>
    private static IReadOnlyList<HeardSecond> SecondsOf(float[] audio, TimeCodeVoice voice) => MeetingSeconds.Read(audio, [voice])[0];

    /// <summary>The start of the voice's clock in the audio, in seconds: the median.</summary>
    private static double Offset(float[] audio, TimeCodeVoice voice)
    {
        var offsets = SecondsOf(audio, voice).Select(second => ((double)second.Start / AudioFile.SampleRate) - second.Second).Order().ToList();
        return offsets[offsets.Count / 2];
    }

    /// <summary>
    /// At each tenth of a second, as many speakers speak as voices are heard, and each of them who has a name is one of those. At the beginning and
    /// the end of a voice, <see cref="SpeakerTolerance"/> applies.
    /// </summary>
    /// <param name="recorder">The recorder, after its end.</param>
    /// <param name="names">The name of each voice.</param>
    /// <param name="areNamed">Each speaks alone, so each must have its name.</param>
    private static async Task AssertSpeakersAsync(RealRecorder recorder, string[] names, bool areNamed = false)
    {
        var audio = await recorder.AudioAsync();
        var length = (double)audio.Length / AudioFile.SampleRate;
        var voices = MeetingSeconds.Read(audio, [.. TimeCode.Voices.Take(names.Length)]).Select(Voice).ToList();
        var speakers = Speakers.Of(recorder.Speeches(), length);
        var (examined, wrong) = (0, new List<string>());
        for (var at = SpeakerTolerance; at < length - SpeakerTolerance; at += 0.1)
        {
            var certain = voices.Count(voice => voice.Any(span => span.Start <= at - SpeakerTolerance && at + SpeakerTolerance <= span.End));
            var possible = names.Where((_, i) => voices[i].Any(span => span.Start <= at + SpeakerTolerance && at - SpeakerTolerance <= span.End)).ToList();
            var speaking = speakers.Where(speaker => speaker.Segments.Any(segment => segment.StartSeconds <= at && at <= segment.EndSeconds)).ToList();
            examined++;
            if (speaking.Count < certain || speaking.Count > possible.Count || speaking.Any(speaker => speaker.Name is not null && !possible.Contains(speaker.Name)))
                wrong.Add($"{at:0.0} s: {certain} to {possible.Count} voices of {string.Join(", ", possible)}, speakers {string.Join(", ", speaking.Select(speaker => $"{speaker.Source} {speaker.Name}"))}");
        }

        Assert.True(wrong.Count <= 0.02 * examined, $"{wrong.Count} of {examined} times are wrong.\n{string.Join('\n', wrong)}");
        Assert.All(names, name => Assert.Contains(speakers, speaker => speaker.Name == name || (speaker.Name is null && !areNamed)));
    }

    /// <summary>The spans in which a voice is heard, in seconds of the recording.</summary>
    private static List<(double Start, double End)> Voice(IReadOnlyList<HeardSecond> heard)
    {
        var spans = new List<(double Start, double End)>();
        foreach (var second in heard)
        {
            var (start, end) = ((double)second.Start / AudioFile.SampleRate, (double)second.End / AudioFile.SampleRate);
            if (spans is [.., var last] && start - last.End <= VoicePause)
                spans[^1] = (last.Start, end);
            else
                spans.Add((start, end));
        }

        return spans;
    }

    private static double Recorded(RealRecorder recorder) => recorder.Statuses()[^1].RecordedSeconds ?? 0;

    private static bool IsNetwork(Gap gap) => gap.Cause == GapCause.NetworkLost;

    private static bool IsRejoin(StatusMessage status) => status.Detail?.Contains("Rejoining", StringComparison.Ordinal) is true;
}
