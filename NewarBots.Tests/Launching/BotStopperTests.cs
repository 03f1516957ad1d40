using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

/// <summary>The stopper with containers in memory, a real Redis and a fake clock.</summary>
public sealed class BotStopperTests(InMemoryRecorders recorders, RedisServer redis)
    : IClassFixture<InMemoryRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private ConnectionMultiplexer _redis = null!;
    private IServiceProvider _manager = null!;
    private BotStopper _stopper = null!;

    private BotStorage Store => BotStorage.Of(_manager);

    private RetryBackoff Backoff => _manager.GetRequiredKeyedService<RetryBackoff>(RetryBackoff.Stops);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redis.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _manager = recorders.WholeManager(_redis, _time);
        _stopper = _manager.GetRequiredService<BotStopper>();
        await _stopper.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopper.StopAsync(Cancellation);
        recorders.Containers.Hanging = null;
        recorders.Containers.ListFailure = null;
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_bot_whose_container_hangs_backs_off_and_is_named_in_the_health()
    {
        var (hanging, other) = (await StopRequestedAsync(), await StopRequestedAsync());
        recorders.Containers.Hanging = hanging;

        _stopper.Enqueue(hanging);
        await Eventually.TrueAsync(() => Backoff.AttemptsOf(hanging) == 1);
        _stopper.Enqueue(hanging);
        _stopper.Enqueue(other);
        await recorders.ExitOf(other);

        Assert.Equal((1, FailureCause.Bot), Assert.Single(Backoff.All) is var failed ? (failed.Attempts, failed.Cause) : default);
        var health = await _manager.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Name == "stops", Cancellation);
        Assert.Contains($"Bot {hanging}: 1 failed attempt, the next in 1 min.", health.Entries["stops"].Description, StringComparison.Ordinal);
        Assert.False(_manager.GetRequiredService<RetryBackoff>().IsPostponed(hanging));

        recorders.Containers.Hanging = null;
        _time.Advance(TimeSpan.FromMinutes(1));
        _stopper.Enqueue(hanging);
        await recorders.ExitOf(hanging);
        await Eventually.TrueAsync(() => Backoff.All.Count == 0);
    }

    [Fact]
    public async Task An_outage_of_the_engine_does_not_make_stops_back_off()
    {
        var bot = await StopRequestedAsync();
        recorders.Containers.Hanging = bot;
        recorders.Containers.ListFailure = new("It is down.", ContainerEngineFailure.Unreachable);

        var before = recorders.Containers.UnansweredStops;
        for (var attempts = 1; attempts <= 3; attempts++)
        {
            _stopper.Enqueue(bot);
            await Eventually.TrueAsync(() => recorders.Containers.UnansweredStops >= before + attempts);
        }

        recorders.Containers.Hanging = null;
        _stopper.Enqueue(bot);
        await recorders.ExitOf(bot);
        Assert.Empty(Backoff.All);
    }

    private async Task<SessionId> StopRequestedAsync()
    {
        var spec = recorders.Bot("trap 'exit 0' TERM; sleep 1000");
        await recorders.Containers.LaunchAsync(spec, Cancellation);
        Assert.True(await Store.Recovery.AdoptAsync(SampleBots.In(BotStatus.Recording) with
        {
            Id = spec.Id,
            UserId = spec.UserId,
            LaunchedAt = _time.GetUtcNow(),
            StopRequested = true,
        }));
        return spec.Id;
    }
}
