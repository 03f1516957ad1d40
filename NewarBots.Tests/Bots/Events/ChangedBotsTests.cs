using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots.Events;

public sealed class ChangedBotsTests
{
    [Fact]
    public void A_late_change_does_not_bring_a_deleted_bot_back()
    {
        var changes = new ChangedBots(user: null);
        var bot = SampleBots.In(BotStatus.Recording);

        changes.Add(bot, "recording");
        changes.Remove(bot.Id, bot.UserId, "deleted");
        changes.Add(bot, "late");

        Assert.Equal([(BotEvents.DeletedType, "deleted")], changes.Take());
    }

    [Fact]
    public void A_stream_that_lasts_long_remembers_the_latest_deletions_only()
    {
        var changes = new ChangedBots(user: null);
        var bots = Enumerable.Range(0, ChangedBots.MaxDeletedKept + 1).Select(_ => SampleBots.In(BotStatus.Recording)).ToList();
        foreach (var bot in bots)
            changes.Remove(bot.Id, bot.UserId, "deleted");
        changes.Take();

        foreach (var bot in bots)
            changes.Add(bot, "late");

        Assert.Equal([(BotEvents.BotType, "late")], changes.Take());
    }
}
