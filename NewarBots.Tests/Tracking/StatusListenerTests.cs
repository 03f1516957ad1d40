using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Tracking;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Tracking;

/// <summary>The listener with a real Redis and a fake clock.</summary>
public sealed class StatusListenerTests(InMemoryRecorders recorders, RedisServer redis)
    : IClassFixture<InMemoryRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(SampleBots.Noon.AddDays(2));
    private ConnectionMultiplexer _redis = null!;
    private IServiceProvider _manager = null!;

    private BotStorage Store => BotStorage.Of(_manager);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redis.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _manager = recorders.WholeManager(_redis, _time);
    }

    public async ValueTask DisposeAsync() => await _redis.DisposeAsync();

    [Fact]
    public async Task A_bot_whose_messages_cannot_be_read_backs_off_and_is_named_in_the_health()
    {
        var (broken, other) = (await LaunchedAsync("anna"), await LaunchedAsync("bea"));
        // No journal can be read from such a position.
        await Store.Commands.UpdateAsync(broken.Id, known => known with { Journal = new(Offset: -1) });
        var backoff = _manager.GetRequiredKeyedService<RetryBackoff>(RetryBackoff.Messages);
        var listener = _manager.GetServices<IHostedService>().OfType<StatusListener>().Single();
        await listener.StartAsync(Cancellation);

        await ReportUntilAsync(broken, 100, () => Task.FromResult(backoff.AttemptsOf(broken.Id) == 1));
        await ReportUntilAsync(broken, 101, () => Task.FromResult(true));
        await ReportUntilAsync(other, 100, async () => (await Store.Queries.FindAsync(other.Id))!.Status is BotStatus.Recording);

        Assert.Equal(1, Assert.Single(backoff.All).Attempts);
        var health = await _manager.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Name == "messages", Cancellation);
        Assert.Contains($"Bot {broken.Id}: 1 failed attempt, the next in 1 min.", health.Entries["messages"].Description, StringComparison.Ordinal);

        await Store.Commands.UpdateAsync(broken.Id, known => known with { Journal = new() });
        _time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return (await Store.Queries.FindAsync(broken.Id))!.LastSequence == 101;
        });
        Assert.Equal([100L, 101], (await _redis.EventsOfAsync(broken.Id)).Select(message => message.Sequence));
        await Eventually.TrueAsync(() => backoff.All.Count == 0);
        await listener.StopAsync(Cancellation);
    }

    /// <summary>The clock moves on, so that the listener takes its next turn.</summary>
    private async Task ReportUntilAsync(Bot bot, long sequence, Func<Task<bool>> isRead)
    {
        await _redis.ReportAsync(recorders.Storage, bot.UserId, bot.Says(BotStatus.Recording, sequence));
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            return await isRead();
        });
    }

    private async Task<Bot> LaunchedAsync(string user)
    {
        var bot = SampleBots.Queued(user: user);
        await Store.Commands.CreateAsync(bot, idempotency: null);
        var launched = (await Store.Commands.UpdateAsync(bot.Id, BotLifecycle.LaunchBegun))!;
        await _redis.GetDatabase().KeyDeleteAsync(RedisNames.EventStream(bot.Id));
        return launched;
    }
}
