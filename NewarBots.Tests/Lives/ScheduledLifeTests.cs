using System.Net;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>Managers die before their scheduled bots are due.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class ScheduledLifeTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>For a busy machine. BotSchedulerTests has the exact times.</summary>
    private static readonly TimeSpan OnTime = TimeSpan.FromSeconds(30);

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Scheduled_bots_start_once_and_on_time_even_if_a_manager_dies_before()
    {
        await using var host = await LightHost.StartAsync();
        await using var other = await host.Manager.StartAnotherAsync();
        await using var redis = await host.Redis.ConnectAsync();
        var engine = new EngineEvents(host.Manager.Stack);

        // One of two managers accepts the bot and dies at once.
        var startAt = Now.AddSeconds(10);
        var one = await ScheduleAsync(other, "https://meet.google.com/abc-defg-hij?duration=3", startAt, user: "one");
        other.Kill();
        await host.Manager.UntilAsync(one, Timeout, "launching", "joining", "recording", "leaving", "finalizing", "completed");
        await StartedOnTimeAsync(redis, one, startAt);

        // The only manager accepts the bot and dies. The bot is due after the next manager has started.
        startAt = Now.AddSeconds(15);
        var two = await ScheduleAsync(host.Manager, "https://meet.google.com/abc-defg-hij?duration=4", startAt, user: "two");
        host.Manager.Kill();
        await Task.WhenAll(host.Manager.StartAsync(), other.StartAsync());
        var dueAt = startAt > Now ? startAt : Now;

        foreach (var id in (string[])[one, two])
        {
            var bot = await host.Manager.UntilAsync(id, Timeout, "completed");
            Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        }

        await StartedOnTimeAsync(redis, two, startAt, dueAt);
        // The first bot may have been in launch when its manager was killed.
        Assert.Equal([$"newar-bot-{one}", $"newar-bot-{two}"], (await engine.NamesAsync("create")).Order(StringComparer.Ordinal));
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
    }

    private static async Task<string> ScheduleAsync(ManagerProcess manager, string meetingUrl, DateTimeOffset startAt, string user)
    {
        var (status, bot) = await manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl, userId = user, startAt }));
        Assert.True(status is HttpStatusCode.Accepted, $"{status}: {bot}");
        Assert.Equal("scheduled", (string?)bot!["status"]);
        return (string)bot["id"]!;
    }

    /// <param name="redis">Has the bot's messages.</param>
    /// <param name="id">The bot.</param>
    /// <param name="startAt">The scheduled start.</param>
    /// <param name="dueAt">When a manager was available again, if that was later.</param>
    private static async Task StartedOnTimeAsync(ConnectionMultiplexer redis, string id, DateTimeOffset startAt, DateTimeOffset? dueAt = null)
    {
        var entries = await redis.GetDatabase().StreamRangeAsync(RedisNames.EventStream(SessionId.Parse(id)));
        var messages = entries.Select(entry => JsonSerializer.Deserialize((string)entry[RedisNames.MessageField]!, ContractJson.Default.StatusMessage)!).ToList();
        Assert.InRange(messages.First(message => message.Status is BotStatus.Launching).At, startAt.AddMilliseconds(-1), (dueAt ?? startAt) + OnTime);
        Assert.Single(messages, message => message.Status is BotStatus.Queued);
    }
}
