using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

public sealed class BotLauncherTests(InMemoryRecorders recorders, RedisServer redis)
    : IClassFixture<InMemoryRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private ConnectionMultiplexer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await redis.ConnectAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task A_bot_that_gets_no_container_leaves_no_folder_and_no_Redis_user()
    {
        recorders.Containers.LaunchFailure = new("The recorder image does not exist.", ContainerEngineFailure.ImageMissing);
        var bot = await LaunchedAsync(_redis);
        recorders.Containers.LaunchFailure = null;

        Assert.Equal(EndReason.LaunchFailed, bot.Reason);
        Assert.False(Directory.Exists(new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id)));
        var users = (string[])(await _redis.GetDatabase().ExecuteAsync("ACL", "LIST"))!;
        Assert.DoesNotContain(users, user => user.Contains(bot.Id.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bot_fails_at_once_with_the_reason_if_Redis_refuses_to_create_its_user()
    {
        await using var restricted = await RedisServer.RunAsync();
        await using var connection = await restricted.ConnectAsManagerWithoutAclAsync();

        var bot = await LaunchedAsync(connection);

        Assert.Equal(EndReason.LaunchFailed, bot.Reason);
        Assert.Contains("NOPERM", bot.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bot_is_launched_once_even_if_the_launcher_is_signalled_repeatedly()
    {
        var manager = recorders.WholeManager(_redis, TimeProvider.System);
        var (store, signal) = (BotStorage.Of(manager), manager.GetRequiredService<LaunchSignal>());
        var launcher = manager.GetServices<IHostedService>().OfType<BotLauncher>().Single();
        var launches = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Name == "newarbots.launch.duration" && instrument.Meter.Scope == manager.GetRequiredService<IMeterFactory>())
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref launches));
        listener.Start();
        await launcher.StartAsync(TestContext.Current.CancellationToken);

        // During the second launch, the surplus signals for the first bot are processed.
        await LaunchAsync("https://meet.google.com/abc-defg-hij");
        await LaunchAsync("https://meet.google.com/xyz-defg-hij");
        await launcher.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, launches);

        async Task LaunchAsync(string meeting)
        {
            var bot = Assert.IsType<CreateResult.Created>(
                await store.Commands.CreateAsync(SampleBots.Queued(meeting, user: "signalled") with { BotName = "sleep 60" }, idempotency: null)).Bot;
            await Eventually.TrueAsync(async () =>
            {
                signal.Raise();
                return await store.Queries.FindAsync(bot.Id) is { LaunchedAt: not null };
            });
        }
    }

    /// <returns>The bot, once it has ended.</returns>
    private async Task<Bot> LaunchedAsync(IConnectionMultiplexer connection)
    {
        var manager = recorders.WholeManager(connection, TimeProvider.System);
        var store = BotStorage.Of(manager);
        var launcher = manager.GetServices<IHostedService>().OfType<BotLauncher>().Single();
        var bot = Assert.IsType<CreateResult.Created>(await store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null)).Bot;
        await launcher.StartAsync(TestContext.Current.CancellationToken);
        var ended = await Eventually.NotNullAsync(async () => await store.Queries.FindAsync(bot.Id) is { EndedAt: not null } known ? known : null);
        await launcher.StopAsync(TestContext.Current.CancellationToken);
        return ended;
    }
}
