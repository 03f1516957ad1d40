using NewarBots.Manager.Bots;

namespace NewarBots.Tests.Bots;

public sealed class BotCapacityOptionsTests
{
    [Fact]
    public void Defaults_are_valid()
    {
        Assert.True(new BotCapacityOptionsValidator().Validate(name: null, new()).Succeeded);
    }

    [Fact]
    public void Every_mistake_is_reported_at_once_by_the_key_to_change()
    {
        var result = new BotCapacityOptionsValidator().Validate(name: null, new()
        {
            MaxConcurrentBots = 0,
            MaxQueuedBots = 0,
            MaxConcurrentBotsPerUser = 0,
            MaxScheduledBotsPerUser = 0,
            MaxBotsPerUser = 0,
        });

        Assert.Equal(
            [
                "Launching:MaxConcurrentBots", "Launching:MaxQueuedBots", "Launching:MaxConcurrentBotsPerUser", "Launching:MaxScheduledBotsPerUser",
                "Launching:MaxBotsPerUser",
            ],
            result.Failures?.Select(failure => failure.Split(' ')[0]));
    }
}
