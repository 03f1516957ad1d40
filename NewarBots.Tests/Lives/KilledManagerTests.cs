using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>A manager is killed while its bot is in each status, and a new manager starts.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class KilledManagerTests(LightHost host) : IClassFixture<LightHost>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(BotStatus.Queued)]
    [InlineData(BotStatus.Launching)]
    [InlineData(BotStatus.Joining)]
    [InlineData(BotStatus.Waiting)]
    [InlineData(BotStatus.Recording)]
    [InlineData(BotStatus.Leaving)]
    [InlineData(BotStatus.Finalizing)]
    public async Task A_bot_completes_its_recording_even_if_its_manager_is_killed_in_any_status(BotStatus status)
    {
        var user = $"killed-{WireWord.Of(status)}";
        var engine = new EngineEvents(host.Manager.Stack);
        await using var redis = await host.Redis.ConnectAsync();
        var reached = await WaitForAsync(redis, status);

        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("admitAfter=1&duration=5"), userId: user);
        await reached.WaitAsync(Timeout);
        host.Manager.Kill();
        await host.Manager.StartAsync();
        var bot = await host.Manager.UntilAsync(id, Timeout, "completed");

        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        // The recorder looks twice a second whether the meeting has ended.
        Assert.InRange((double)bot["recordedSeconds"]!, 5, 15);
        await host.NothingIsLeftAsync(id, user, engine);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, user)), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }

    /// <returns>A task that completes with the first message of that status, from any bot.</returns>
    private static async Task<Task> WaitForAsync(ConnectionMultiplexer redis, BotStatus status)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await redis.GetSubscriber().SubscribeAsync(RedisChannel.Pattern($"{RedisNames.StatusChannelPrefix}*"), (_, message) =>
        {
            if (message.ToString().Contains($"\"status\":\"{WireWord.Of(status)}\"", StringComparison.Ordinal))
                reached.TrySetResult();
        });
        return reached.Task;
    }
}
