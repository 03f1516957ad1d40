using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container when it is stopped or killed, or when its page, browser or disk fails.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class RecorderFailureTests
{
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
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500); await after(8); for (;;);"));
        await Eventually.TrueAsync(() => recorder.Chunks().Any(), TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() - recorder.WrittenAt > TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30));

        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        // A busy machine may have caused short gaps before.
        var gap = recorder.Gaps()[^1];
        Assert.Equal(GapCause.CaptureStalled, gap.Cause);
        Assert.InRange(gap.StartSeconds, 4, 9);
        Assert.InRange(gap.EndSeconds - gap.StartSeconds, 3.5, 10);
        var audio = await recorder.AudioAsync();
        Assert.InRange(audio.Length / 48_000.0, gap.EndSeconds - 0.1, gap.EndSeconds + 0.1);
        Assert.InRange(Tone.LongestSeconds(audio, 500), 3, gap.StartSeconds + 0.2);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_page_that_hangs_forever_does_not_keep_the_bot_beyond_its_maximum_duration()
    {
        await using var recorder = await RealRecorder.StartAsync(
            CallPage.Html("await connect(500); await after(8); for (;;);"), leave: new() { MaxDuration = TimeSpan.FromSeconds(20) });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync(TimeSpan.FromSeconds(80)));

        Assert.Equal(EndReason.MaxDuration, recorder.Statuses()[^1].Reason);
        var audio = await recorder.AudioAsync();
        Assert.InRange(Tone.LongestSeconds(audio, 500), 4, double.MaxValue);
        Assert.Equal(GapCause.CaptureStalled, recorder.Gaps()[^1].Cause);
        Assert.InRange(audio.Length / 48_000.0, 19, recorder.Gaps()[^1].EndSeconds + 0.1);
    }

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("type=renderer")]
    [InlineData("about:blank")]
    public async Task A_browser_that_dies_is_replaced_and_the_gap_is_named(string process)
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"));
        await recorder.UntilRecordedAsync(5);
        var recorded = recorder.Statuses()[^1].RecordedSeconds!.Value;

        await recorder.KillAsync(process);
        await Eventually.TrueAsync(() => recorder.Gaps().Count > 0, TimeSpan.FromSeconds(60));
        var gap = recorder.Gaps()[0];
        await recorder.UntilRecordedAsync(gap.EndSeconds + 3);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var audio = await recorder.AudioAsync();
        Assert.Equal("browser_restarted", gap.Cause);
        Assert.InRange(gap.StartSeconds, recorded - 1, recorded + 5);
        Assert.InRange(Tone.LongestSeconds(audio[..(int)(gap.StartSeconds * 48_000)], 500), recorded - 2, gap.StartSeconds);
        Assert.InRange(Tone.LongestSeconds(audio[(int)(gap.EndSeconds * 48_000)..], 500), 2, double.MaxValue);
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
            await Eventually.TrueAsync(() => recorder.Gaps().Count == crashes - 1, TimeSpan.FromSeconds(60));
            await recorder.UntilRecordedAsync((recorder.Gaps() is [.., var last] ? last.EndSeconds : 0) + 3);
            await recorder.KillAsync("type=renderer");
        }

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.BrowserCrashed, recorder.Statuses()[^1].Reason);
        var audio = await recorder.AudioAsync();
        Assert.InRange(Tone.LongestSeconds(audio[(int)(recorder.Gaps()[1].EndSeconds * 48_000)..], 500), 2, double.MaxValue);
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
        Assert.InRange(Tone.LongestSeconds(await recorder.AudioAsync(), 500), 8, double.MaxValue);
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
}
