using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container when it is stopped or killed, or when its page, browser or disk fails.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class RecorderFailureTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>A page that reports that it is about to hang.</summary>
    private const string HangsInTheCall = """
        await recorded;
        await (await connect(500)).connected;
        await after(8);
        await fetch('/', { method: 'POST', body: 'hangs' });
        for (;;);
        """;

    [Fact]
    public async Task A_stopped_recorder_leaves_within_ten_seconds_and_loses_nothing()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"));
        await recorder.UntilRecordedAsync(3);

        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var statuses = recorder.Statuses();
        Assert.Equal(
            [BotStatus.Joining, BotStatus.Recording, BotStatus.Leaving],
            statuses.Select(status => status.Status).Distinct());
        Assert.Equal(EndReason.StopRequested, statuses[^1].Reason);
        Assert.InRange((await recorder.AudioAsync()).Length / 48_000.0, statuses[^1].RecordedSeconds!.Value, double.MaxValue);
    }

    [Fact]
    public async Task A_page_that_hangs_leaves_a_gap_until_the_end()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html(HangsInTheCall));
        await Eventually.TrueAsync(() => recorder.Posts.Count > 0, Timeout);
        var hungAt = TimeProvider.System.GetUtcNow();
        await Eventually.TrueAsync(
            () => TimeProvider.System.GetUtcNow() - (recorder.WrittenAt > hungAt ? recorder.WrittenAt : hungAt) > TimeSpan.FromSeconds(4), Timeout);

        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        // A busy machine may have caused short gaps before.
        var gap = recorder.Gaps()[^1];
        Assert.Equal(GapCause.CaptureStalled, gap.Cause);
        Assert.InRange(gap.StartSeconds, 7, double.MaxValue);
        Assert.InRange(gap.EndSeconds - gap.StartSeconds, 3.5, double.MaxValue);
        var audio = await recorder.AudioAsync();
        Assert.InRange(audio.Length / 48_000.0, gap.EndSeconds - 0.1, gap.EndSeconds + 0.1);
        Assert.InRange(RecorderFolder.SecondsHeard(audio, 500), 3, gap.StartSeconds + 0.2);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_page_that_hangs_forever_does_not_keep_the_bot_beyond_its_maximum_duration()
    {
        await using var recorder = await RealRecorder.StartAsync(
            CallPage.Html(HangsInTheCall), leave: new() { MaxDuration = TimeSpan.FromSeconds(40) });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Equal(EndReason.MaxDuration, recorder.Statuses()[^1].Reason);
        var audio = await recorder.AudioAsync();
        var gap = recorder.Gaps()[^1];
        Assert.InRange(RecorderFolder.SecondsHeard(audio, 500), 3, gap.StartSeconds + 0.2);
        Assert.Equal(GapCause.CaptureStalled, gap.Cause);
        Assert.InRange(audio.Length / 48_000.0, gap.EndSeconds - 0.1, gap.EndSeconds + 0.1);
    }

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("type=renderer")]
    [InlineData("about:blank")]
    public async Task A_browser_that_dies_is_replaced_and_the_gap_is_named(string process)
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"));
        await recorder.UntilRecordedAsync(8);
        var recorded = recorder.Statuses()[^1].RecordedSeconds!.Value;

        await recorder.KillAsync(process);
        await Eventually.TrueAsync(() => recorder.Gaps().Any(IsRestart), Timeout);
        var gap = recorder.Gaps().Single(IsRestart);
        await recorder.UntilRecordedAsync(gap.EndSeconds + 6);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var audio = await recorder.AudioAsync();
        Assert.InRange(gap.StartSeconds, recorded - 1, gap.EndSeconds);
        // The page connects only once it is loaded.
        recorder.AssertHeard(audio[..(int)(gap.StartSeconds * 48_000)], 500, recorded - 4);
        recorder.AssertHeard(audio[(int)(gap.EndSeconds * 48_000)..], 500, seconds: 2);
        Assert.All(recorder.Gaps(), one => Assert.True(IsRestart(one) || one.Cause is GapCause.CaptureStalled, $"{one}"));
        var statuses = recorder.Statuses();
        Assert.Equal([BotStatus.Joining, BotStatus.Recording, BotStatus.Leaving], statuses.Select(status => status.Status).Distinct());
        Assert.Equal(EndReason.StopRequested, statuses[^1].Reason);
        Assert.Single(statuses, status => status.Detail?.Contains("Rejoining (attempt 1 of 2)", StringComparison.Ordinal) is true);
        Assert.Contains("1_browser_crashed/looks.txt", recorder.Evidence().Keys);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_page_that_keeps_crashing_is_given_up_and_the_audio_is_kept()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"));
        for (var crashes = 1; crashes <= 3; crashes++)
        {
            await Eventually.TrueAsync(() => recorder.Gaps().Count(IsRestart) == crashes - 1, Timeout);
            await recorder.UntilRecordedAsync((recorder.Gaps().LastOrDefault(IsRestart)?.EndSeconds ?? 0) + 6);
            await recorder.KillAsync("type=renderer");
        }

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.BrowserCrashed, recorder.Statuses()[^1].Reason);
        var audio = await recorder.AudioAsync();
        recorder.AssertHeard(audio[(int)(recorder.Gaps().Where(IsRestart).ElementAt(1).EndSeconds * 48_000)..], 500, seconds: 2);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_full_disk_ends_the_recording_and_damages_nothing()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounting a disk requires root.");
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"), diskKilobytes: 128);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Contains("Status Leaving (StorageFailed)", await recorder.LogAsync(), StringComparison.Ordinal);
        Assert.All(recorder.Chunks(), path =>
        {
            var chunk = ChunkReader.Read(path, index: 0);
            Assert.True(chunk is { Packets: > 0, Problem: null }, $"{chunk}");
        });
        recorder.AssertHeard(await recorder.AudioAsync(), 500, seconds: 8);
    }

    [Fact]
    public async Task A_killed_recorder_leaves_playable_chunks()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"));
        await recorder.UntilRecordedAsync(5);
        var recorded = recorder.Statuses()[^1].RecordedSeconds!.Value;

        await recorder.KillAsync("NewarBots.Recorder");

        Assert.Equal(137, await recorder.ExitCodeAsync());
        Assert.InRange((await recorder.AudioAsync()).Length / 48_000.0, recorded - 2, double.MaxValue);
    }

    private static bool IsRestart(Gap gap) => gap.Cause == GapCause.BrowserRestarted;
}
