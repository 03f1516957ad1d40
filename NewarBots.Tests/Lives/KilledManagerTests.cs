using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>A manager that is killed while its bot is in each of the states of its life, and the next one after it.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class KilledManagerTests(LightHost host) : IClassFixture<LightHost>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(BotStatus.Queued)]
    [InlineData(BotStatus.Launching)]
    [InlineData(BotStatus.Joining)]
    [InlineData(BotStatus.Waiting)]
    [InlineData(BotStatus.Recording)]
    [InlineData(BotStatus.Leaving)]
    [InlineData(BotStatus.Finalizing)]
    public async Task Whenever_a_manager_is_killed_the_next_one_brings_its_bot_to_a_whole_recording(BotStatus status)
    {
        var user = $"killed-{WireWord.Of(status)}";
        var engine = new EngineEvents(host.Manager.Stack);
        await using var redis = await host.Redis.ConnectAsync();
        var reached = await WaitForAsync(redis, status);

        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("admitAfter=1&duration=5"), userId: user);
        await reached.WaitAsync(Patience);
        host.Manager.Kill();
        await host.Manager.StartAsync();
        var bot = await host.Manager.UntilAsync(id, Patience, "completed");

        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        Assert.InRange((double)bot["recordedSeconds"]!, 5, 6);
        await host.NothingIsLeftAsync(id, user, engine);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, user)), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }

    /// <returns>Ends with the first message of that status, whatever bot it is of.</returns>
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
