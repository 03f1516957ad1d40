using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Leaving;

public sealed class NetworkDoubtTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly PageView Call = PageView.Nothing with { Matches = [new("leave.button", PageSign.LeaveButton)] };

    [Fact]
    public void While_the_network_is_in_doubt_neither_silence_nor_absence_nor_a_lost_page_ends_the_call()
    {
        var rules = new LeaveRules(
            new() { SilenceTimeout = TimeSpan.FromSeconds(30), EveryoneLeftTimeout = TimeSpan.FromSeconds(30), NobodyJoinedTimeout = TimeSpan.FromSeconds(30) },
            Start.AddHours(1),
            Start);

        for (var second = 1; second <= 300; second++)
        {
            rules = rules.Observe(second % 100 < 90 ? PageView.Nothing : Call, RecordingProgress.None, true, Start.AddSeconds(second), isNetworkInDoubt: true);
            Assert.Null(rules.Decide());
        }
    }

    [Fact]
    public void After_the_doubt_the_timeouts_start_over()
    {
        var rules = new LeaveRules(new() { EveryoneLeftTimeout = TimeSpan.FromSeconds(30), NobodyJoinedTimeout = TimeSpan.FromSeconds(30) }, Start.AddHours(1), Start);
        for (var second = 1; second <= 60; second++)
            rules = rules.Observe(Call, RecordingProgress.None, true, Start.AddSeconds(second), isNetworkInDoubt: true);

        var left = Enumerable.Range(61, 100).First(second =>
            (rules = rules.Observe(Call, RecordingProgress.None, false, Start.AddSeconds(second))).Decide() is not null);

        Assert.InRange(left, 90, 93);
    }
}
