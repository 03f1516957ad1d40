using NewarBots.Contract;
using NewarBots.Manager.Bots;
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

        Assert.Equal([first, second], Next([third, recording, second, first], capacity: 3));
        Assert.Empty(Next([third, recording, second, first], capacity: 1));
    }

    [Fact]
    public void An_interrupted_launch_continues_first_even_at_full_capacity()
    {
        var queued = SampleBots.Queued();
        var interrupted = SampleBots.In(BotStatus.Launching);

        Assert.Equal([interrupted], Next([queued, interrupted], capacity: 1));
    }

    [Fact]
    public void Bots_with_a_container_are_not_launched_again_and_take_a_slot_until_they_finalize()
    {
        var launched = SampleBots.In(BotStatus.Launching) with { LaunchedAt = SampleBots.Noon };
        var finalizing = SampleBots.In(BotStatus.Finalizing);
        var queued = SampleBots.Queued();

        Assert.Empty(Next([launched, queued], capacity: 1));
        Assert.Equal([queued], Next([finalizing, queued], capacity: 1));
    }

    [Fact]
    public void Users_take_turns_however_many_bots_one_of_them_has_queued()
    {
        var many = Enumerable.Range(0, 1000).Select(_ => Of("anna", SampleBots.Queued())).ToList();
        var few = new[] { Of("bert", SampleBots.Queued()), Of("bert", SampleBots.Queued()), Of("carl", SampleBots.Queued()) };

        Assert.Equal([many[0], few[0], few[2], many[1], few[1], many[2]], Next([.. many, .. few], capacity: 6));
    }

    [Fact]
    public void A_user_whose_bots_have_containers_waits_for_one_who_has_none()
    {
        var running = Enumerable.Range(0, 3).Select(_ => Of("anna", SampleBots.In(BotStatus.Recording))).ToList();
        var next = Of("anna", SampleBots.Queued());
        var others = Enumerable.Range(0, 4).Select(_ => Of("bert", SampleBots.Queued())).ToList();

        Assert.Equal([others[0], others[1], others[2], next], Next([.. running, next, .. others], capacity: 7));
    }

    [Fact]
    public void A_single_place_goes_from_user_to_user()
    {
        var (anna, bert) = (Of("anna", SampleBots.Queued()), Of("bert", SampleBots.Queued()));

        Assert.Equal([anna], Next([bert, anna], capacity: 1));
        Assert.Equal([bert], LaunchPlan.Next([anna, bert], capacity: 1, new Dictionary<UserId, long> { [anna.UserId] = 2, [bert.UserId] = 1 }));
    }

    private static IReadOnlyList<Bot> Next(IEnumerable<Bot> candidates, int capacity) => LaunchPlan.Next(candidates, capacity, new Dictionary<UserId, long>());

    private static Bot Of(string user, Bot bot) => bot with { UserId = UserId.Parse(user) };

    [Fact]
    public void A_scheduled_bot_is_queued_by_its_start_time()
    {
        var scheduled = SampleBots.Scheduled() with { Status = BotStatus.Queued };
        var before = SampleBots.Queued() with { CreatedAt = scheduled.DueAt.AddSeconds(-1) };
        var after = SampleBots.Queued() with { CreatedAt = scheduled.DueAt.AddSeconds(1) };

        Assert.Equal([before, scheduled, after], Next([scheduled, after, before], capacity: 3));
    }
}
