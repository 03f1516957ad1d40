using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Reconciling;
using NewarBots.Tests.Bots;

namespace NewarBots.Tests.Reconciling;

public sealed class ReconciliationPlanTests
{
    private static readonly DateTimeOffset Now = SampleBots.Noon.AddHours(1);

    private static Bot Recording { get; } = SampleBots.In(BotStatus.Recording) with { LaunchedAt = SampleBots.Noon };

    private static RecorderContainer ContainerOf(Bot bot, RecorderContainerState state) => new(bot.Id, bot.UserId, state);

    [Fact]
    public void A_bot_whose_recorder_runs_is_left_alone() =>
        Assert.Empty(ReconciliationPlan.Make([Recording], [ContainerOf(Recording, RecorderContainerState.Running)], Now));

    [Fact]
    public void A_bot_whose_recorder_exited_or_vanished_while_nobody_watched_is_taken_to_its_end()
    {
        var expected = new Reconciliation.TakeToItsEnd(Recording.Id);

        Assert.Equal([expected], ReconciliationPlan.Make([Recording], [ContainerOf(Recording, RecorderContainerState.Exited)], Now));
        Assert.Equal([expected], ReconciliationPlan.Make([Recording], [], Now));
    }

    [Fact]
    public void A_container_that_is_not_listed_right_after_its_launch_is_no_proof_of_its_end()
    {
        var fresh = Recording with { LaunchedAt = Now - ReconciliationPlan.DoubtAfterLaunch };

        Assert.Empty(ReconciliationPlan.Make([fresh], [], Now));
    }

    [Fact]
    public void A_finalization_that_was_interrupted_goes_on()
    {
        var bot = SampleBots.In(BotStatus.Finalizing);

        Assert.Equal([new Reconciliation.TakeToItsEnd(bot.Id)], ReconciliationPlan.Make([bot], [], Now));
    }

    [Fact]
    public void A_bot_that_was_asked_to_stop_and_still_runs_is_asked_again()
    {
        var asked = Recording with { StopRequested = true };

        Assert.Equal(
            [new Reconciliation.StopAgain(asked)],
            ReconciliationPlan.Make([asked], [ContainerOf(asked, RecorderContainerState.Running)], Now));
    }

    [Fact]
    public void What_an_ended_bot_left_running_out_of_sight_is_cleared_away_once_it_has_exited()
    {
        var ended = SampleBots.In(BotStatus.Completed);

        Assert.Equal(
            [new Reconciliation.TakeToItsEnd(ended.Id)],
            ReconciliationPlan.Make([ended], [ContainerOf(ended, RecorderContainerState.Exited)], Now));
    }

    [Fact]
    public void A_container_that_no_record_knows_is_reported_and_left_alone()
    {
        var stranger = ContainerOf(SampleBots.Queued(), RecorderContainerState.Running);

        Assert.Equal([new Reconciliation.Report(stranger)], ReconciliationPlan.Make([], [stranger], Now));
    }

    [Fact]
    public void Queued_bots_and_launches_under_way_are_the_launchers_own()
    {
        var queued = SampleBots.Queued();
        var launching = SampleBots.In(BotStatus.Launching);

        Assert.Empty(ReconciliationPlan.Make(
            [queued, launching], [ContainerOf(launching, RecorderContainerState.Created)], Now));
    }
}
