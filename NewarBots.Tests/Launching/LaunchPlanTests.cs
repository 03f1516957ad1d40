using NewarBots.Contract;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Launching;

public sealed class LaunchPlanTests
{
    [Fact]
    public void Queued_bots_are_launched_in_order_of_arrival_up_to_the_capacity()
    {
        var recording = SampleBots.In(BotStatus.Recording);
        var first = SampleBots.Queued();
        var second = SampleBots.Queued();
        var third = SampleBots.Queued();

        Assert.Equal([first, second], LaunchPlan.Next([third, recording, second, first], capacity: 3));
        Assert.Empty(LaunchPlan.Next([third, recording, second, first], capacity: 1));
    }

    [Fact]
    public void An_interrupted_launch_continues_first_even_at_full_capacity()
    {
        var queued = SampleBots.Queued();
        var interrupted = SampleBots.In(BotStatus.Launching);

        Assert.Equal([interrupted], LaunchPlan.Next([queued, interrupted], capacity: 1));
    }

    [Fact]
    public void Bots_with_a_container_are_not_launched_again_and_take_a_slot_until_they_finalize()
    {
        var launched = SampleBots.In(BotStatus.Launching) with { LaunchedAt = SampleBots.Noon };
        var finalizing = SampleBots.In(BotStatus.Finalizing);
        var queued = SampleBots.Queued();

        Assert.Empty(LaunchPlan.Next([launched, queued], capacity: 1));
        Assert.Equal([queued], LaunchPlan.Next([finalizing, queued], capacity: 1));
    }

    [Fact]
    public void A_scheduled_bot_is_queued_by_its_start_time()
    {
        var scheduled = SampleBots.Scheduled() with { Status = BotStatus.Queued };
        var before = SampleBots.Queued() with { CreatedAt = scheduled.DueAt.AddSeconds(-1) };
        var after = SampleBots.Queued() with { CreatedAt = scheduled.DueAt.AddSeconds(1) };

        Assert.Equal([before, scheduled, after], LaunchPlan.Next([scheduled, after, before], capacity: 3));
    }
}
