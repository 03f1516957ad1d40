using NewarBots.Contract;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Launching;

public sealed class LaunchPlanTests
{
    [Fact]
    public void Queued_bots_are_launched_in_order_of_arrival_as_far_as_there_is_room()
    {
        var recording = SampleBots.In(BotStatus.Recording);
        var first = SampleBots.Queued();
        var second = SampleBots.Queued();
        var third = SampleBots.Queued();

        Assert.Equal([first, second], LaunchPlan.Next([third, recording, second, first], capacity: 3));
        Assert.Empty(LaunchPlan.Next([third, recording, second, first], capacity: 1));
    }

    [Fact]
    public void A_launch_that_was_interrupted_goes_on_before_any_other_and_even_where_there_is_no_room_for_more()
    {
        var queued = SampleBots.Queued();
        var interrupted = SampleBots.In(BotStatus.Launching);

        Assert.Equal([interrupted], LaunchPlan.Next([queued, interrupted], capacity: 1));
    }

    [Fact]
    public void Bots_that_have_a_container_are_not_launched_again_and_hold_their_place_until_it_is_gone()
    {
        var launched = SampleBots.In(BotStatus.Launching) with { LaunchedAt = SampleBots.Noon };
        var finalizing = SampleBots.In(BotStatus.Finalizing);
        var queued = SampleBots.Queued();

        Assert.Empty(LaunchPlan.Next([launched, queued], capacity: 1));
        Assert.Equal([queued], LaunchPlan.Next([finalizing, queued], capacity: 1));
    }

    [Fact]
    public void A_bot_that_was_scheduled_has_its_place_in_the_queue_from_when_it_was_due()
    {
        var scheduled = SampleBots.Scheduled() with { Status = BotStatus.Queued };
        var before = SampleBots.Queued() with { CreatedAt = scheduled.DueAt.AddSeconds(-1) };
        var after = SampleBots.Queued() with { CreatedAt = scheduled.DueAt.AddSeconds(1) };

        Assert.Equal([before, scheduled, after], LaunchPlan.Next([scheduled, after, before], capacity: 3));
    }
}
