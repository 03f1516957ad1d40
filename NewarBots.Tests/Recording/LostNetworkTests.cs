using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container, in calls whose network fails.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
public sealed class LostNetworkTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    /// <summary>
    /// Real time: a status every five seconds is too coarse to end the outage by. A connection that is lost for 15 s has failed, and these pages do not
    /// repair it; the timeouts of up to 11 s must pass before.
    /// </summary>
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(12);

    /// <summary>At most two calls at the same time. The page, and the timeouts, invite each but the first to leave during the outage.</summary>
    [Fact]
    public async Task An_outage_is_a_gap_and_the_audio_before_and_after_is_recorded()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Blocking packets requires root.");
        await Task.WhenAll(
            AssertOutageIsAGapAsync(LostNetworkPages.Plain, new()),
            AssertOutageIsAGapAsync(LostNetworkPages.CoveredByANotice, new() { SilenceTimeout = TimeSpan.FromSeconds(11) }));
        await Task.WhenAll(
            AssertOutageIsAGapAsync(LostNetworkPages.ShowsNobody, new() { EveryoneLeftTimeout = TimeSpan.FromSeconds(5) }),
            AssertOutageIsAGapAsync(
                LostNetworkPages.ReplacesItsConnection,
                new() { EveryoneLeftTimeout = TimeSpan.FromSeconds(11), NobodyJoinedTimeout = TimeSpan.FromSeconds(11), SilenceTimeout = TimeSpan.FromSeconds(11) }));
        await Task.WhenAll(
            AssertOutageIsAGapAsync(LostNetworkPages.ReplacesItsConnectionAndShowsNobody, new() { EveryoneLeftTimeout = TimeSpan.FromSeconds(5) }),
            AssertOutageIsAGapAsync(
                LostNetworkPages.RemovesTheCall, new() { EveryoneLeftTimeout = TimeSpan.FromSeconds(5), SilenceTimeout = TimeSpan.FromSeconds(11) }));
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
            const third = await connect(2500);
            await after(3);
            (await connect(3500)).hangUp();
            await after(3);
            const silent = await connect(3000, 0.2, { stuckVideo: true });
            await after(2);
            silent.cut(true);
            third();
            await after(9);
            silent.cut(false);
            await after(2);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.DoesNotContain(recorder.Gaps(), IsNetwork);
        Assert.Equal(EndReason.MeetingEnded, recorder.Statuses()[^1].Reason);
        // The last connection works for audio only, and for a while nothing was sent over it.
        Assert.InRange(Tone.LongestSeconds(await recorder.AudioAsync(), 3000), 1, 6);
    }

    private static async Task AssertOutageIsAGapAsync(string html, LeaveConditions leave)
    {
        await using var recorder = await RealRecorder.StartAsync(
            html, leave: leave, joining: _ => new() { Browser = WireWord.Of(BrowserKind.HeadlessShell) });
        await recorder.UntilRecordedAsync(6);

        var before = recorder.Statuses()[^1].RecordedSeconds!.Value;
        await recorder.BlockUdpAsync(true);
        var outage = Task.Delay(Outage, TimeProvider.System);
        var after = await recorder.NextRecordedAsync();
        await outage;
        await recorder.BlockUdpAsync(false);
        await Eventually.TrueAsync(() => recorder.Gaps().Any(IsNetwork) && recorder.IsWell, Timeout);
        await recorder.UntilRecordedAsync(recorder.NetworkGap().EndSeconds + 8);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
        var gap = recorder.NetworkGap();
        Assert.InRange(gap.StartSeconds, before - 1, after + 1);
        Assert.InRange(gap.EndSeconds, before + 11, before + 40);
        var audio = await recorder.AudioAsync();
        // The connection takes a moment at the beginning, and the page's connection to replace a lost one.
        Tone.AssertNothingMissing(audio, 500, 2, gap.StartSeconds, recorder.Gaps());
        Tone.AssertNothingMissing(audio, 500, gap.EndSeconds + 1, gap.EndSeconds + 7.5, recorder.Gaps());
    }

    private static bool IsNetwork(Gap gap) => gap.Cause == GapCause.NetworkLost;
}
