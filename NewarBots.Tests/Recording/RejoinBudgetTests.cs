using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class RejoinBudgetTests
{
    private readonly RejoinBudget _budget = new();

    [Fact]
    public void Losses_of_any_kind_share_a_budget_and_wait_longer_each_time()
    {
        Assert.Equal([0, 20, 40, null], Delays(EndReason.NetworkLost, EndReason.NoAudio, EndReason.NetworkLost, EndReason.NetworkLost));
        Assert.False(_budget.HasLossLeft);
    }

    [Fact]
    public void Crashes_and_pages_that_do_not_open_have_budgets_of_their_own()
    {
        Assert.Equal([0, 0, null], Delays(EndReason.BrowserCrashed, EndReason.BrowserCrashed, EndReason.BrowserCrashed));
        Assert.All(Enumerable.Range(1, 10), number => Assert.Equal($"Rejoining in 20 s (attempt {number} of 10).", $"{_budget.TakeUnreachable()}"));
        Assert.Null(_budget.TakeUnreachable());
        Assert.True(_budget.HasLossLeft);
    }

    [Theory]
    [InlineData(EndReason.MeetingEnded)]
    [InlineData(EndReason.StorageFailed)]
    public void No_other_end_is_a_reason_to_join_again(EndReason reason) => Assert.Null(_budget.Take(reason));

    private IEnumerable<double?> Delays(params EndReason[] causes) => [.. causes.Select(cause => _budget.Take(cause)?.Delay.TotalSeconds)];
}
