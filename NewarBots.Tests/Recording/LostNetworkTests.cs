using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container, in calls whose network fails.</summary>
[Collection(AloneOnTheMachine.Name)]
public sealed class LostNetworkTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task An_outage_is_a_gap_and_the_audio_before_and_after_is_recorded()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Blocking packets requires root.");
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("await connect(500);"));
        await recorder.UntilRecordedAsync(6);

        await recorder.BlockUdpAsync(true);
        var cut = recorder.Statuses()[^1].RecordedSeconds!.Value;
        await recorder.UntilRecordedAsync(cut + 12);
        await recorder.BlockUdpAsync(false);
        await Eventually.TrueAsync(() => recorder.Gaps().Any(IsNetwork), Timeout);
        await recorder.UntilRecordedAsync(cut + 25);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var gap = Assert.Single(recorder.Gaps(), IsNetwork);
        Assert.InRange(gap.StartSeconds, cut - 1, cut + 6);
        Assert.InRange(gap.EndSeconds - gap.StartSeconds, 10, 19);
        var audio = await recorder.AudioAsync();
        Assert.InRange(Tone.LongestSeconds(audio[..(int)(gap.StartSeconds * 48_000)], 500), cut - 2, gap.StartSeconds);
        Assert.InRange(Tone.LongestSeconds(audio[(int)(gap.EndSeconds * 48_000)..], 500), 4, double.MaxValue);
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
    }

    [Fact]
    public async Task A_connection_that_never_works_is_a_warning_and_a_gap()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            // Without a relay there is no candidate.
            const Connection = RTCPeerConnection;
            window.RTCPeerConnection = class extends Connection {
              constructor() {
                super({ iceTransportPolicy: 'relay' });
              }
            };
            await connect(500);
            """));
        await Eventually.TrueAsync(() => recorder.Statuses().Any(status => status.Reason is EndReason.NoAudio), Timeout);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.EndedByGuess, await recorder.ExitCodeAsync());
        var gaps = recorder.Gaps().Where(IsNetwork).ToList();
        Assert.InRange(gaps[0].StartSeconds, 0, 2);
        Assert.InRange(gaps[^1].EndSeconds, 19, 40);
        Assert.Contains("No audio can arrive", recorder.Statuses()[^1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Participants_who_hang_up_or_move_to_another_connection_are_no_outage()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const [first, second] = [await connect(500), await connect(1500)];
            await after(4);
            first();
            second.hangUp();
            await connect(2500);
            await after(3);
            (await connect(3500)).hangUp();
            await after(9);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.DoesNotContain(recorder.Gaps(), IsNetwork);
        Assert.Equal(EndReason.MeetingEnded, recorder.Statuses()[^1].Reason);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Where_the_page_does_not_recover_the_recorder_joins_again()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Blocking packets requires root.");
        await using var recorder = await RealRecorder.StartAsync(
            CallPage.Html("await connect(500);"), leave: new() { SilenceTimeout = TimeSpan.FromSeconds(30) });
        await recorder.UntilRecordedAsync(6);

        await recorder.BlockUdpAsync(true);
        await Eventually.TrueAsync(() => recorder.Statuses().Any(status => status.Detail?.Contains("Rejoining", StringComparison.Ordinal) is true), Timeout);
        await recorder.BlockUdpAsync(false);
        var lost = recorder.Statuses()[^1].RecordedSeconds!.Value;
        await Eventually.TrueAsync(() => recorder.Statuses().Any(status => status.Reason is null && status.RecordedSeconds >= lost + 25), Timeout);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.DoesNotContain(recorder.Gaps(), gap => gap.Cause == "browser_restarted");
        var end = recorder.Gaps().Where(IsNetwork).Max(gap => gap.EndSeconds);
        Assert.InRange(end, 60, lost + 20);
        Assert.InRange(Tone.LongestSeconds((await recorder.AudioAsync())[(int)(end * 48_000)..], 500), 3, double.MaxValue);
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
    }

    private static bool IsNetwork(Gap gap) => gap.Cause == GapCause.NetworkLost;
}
