using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Listing;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Bots.Listing;

public sealed class BotIndexTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly MetricsProbe _metrics = new();
    private ConnectionMultiplexer _redis = null!;
    private BotIndex _index = null!;

    private static DateTimeOffset Tomorrow { get; } = TimeProvider.System.GetUtcNow().AddDays(1);

    /// <summary>Another manager than that of the index.</summary>
    private BotStorage Store => new(_redis, _metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        _redis = await server.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _index = new(new BotRecords(_redis, NullLogger<BotRecords>.Instance));
    }

    public async ValueTask DisposeAsync()
    {
        _index.Dispose();
        _metrics.Dispose();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Every_change_by_another_manager_is_seen()
    {
        var (queued, scheduled) = (await CreatedAsync(SampleBots.Queued()), await CreatedAsync(SampleBots.Scheduled(Tomorrow)));
        await AssertSameAsync(queued, scheduled);

        queued = (await Store.Commands.UpdateAsync(queued.Id, bot => BotLifecycle.StopAsked(bot, SampleBots.Noon)))!;
        await Store.Commands.StartAsync(scheduled.Id, Tomorrow, traceParent: null, new BotLimits(Places: 2, Waiting: 2, OfOneUser: null));
        scheduled = (await Store.Queries.FindAsync(scheduled.Id))!;
        await AssertSameAsync(queued, scheduled);

        var adopted = SampleBots.In(BotStatus.Recording) with { MeetingUrl = new("https://meet.google.com/abc-defg-hik") };
        await Store.Commands.DeleteAsync(queued);
        Assert.True(await Store.Recovery.AdoptAsync(adopted));
        await AssertSameAsync(scheduled, adopted);
    }

    [Fact]
    public async Task Bots_written_by_an_earlier_version_are_seen()
    {
        var bot = await CreatedAsync(SampleBots.Queued());
        await _redis.GetDatabase().KeyDeleteAsync(["newarbots:bots:changes", "newarbots:bots:changed"]);

        await AssertSameAsync(bot);
    }

    [Fact]
    public async Task Emptied_Redis_empties_the_list_and_what_comes_afterwards_is_seen()
    {
        for (var number = 0; number < 3; number++)
            await CreatedAsync(SampleBots.Queued($"https://meet.google.com/abc-defg-hi{(char)('a' + number)}"));
        await _index.RefreshAsync(TestContext.Current.CancellationToken);

        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        await AssertSameAsync();
        await AssertSameAsync(await CreatedAsync(SampleBots.Queued()));
    }

    [Fact]
    public async Task Unreadable_record_is_not_listed_and_keeps_no_other_bot_out()
    {
        var (broken, bot) = (await CreatedAsync(SampleBots.Queued()), await CreatedAsync(SampleBots.Scheduled(Tomorrow)));
        await _redis.GetDatabase().HashSetAsync($"newarbots:bot:{broken.Id}", "record", "{");

        await AssertSameAsync(bot);
        await AssertSameAsync(bot);
    }

    private async Task AssertSameAsync(params Bot[] bots)
    {
        await _index.RefreshAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            bots.Select(bot => (bot.Id, bot.Status)).OrderBy(bot => bot.Id), _index.Bots.Select(bot => (bot.Id, bot.Status)).OrderBy(bot => bot.Id));
    }

    private async Task<Bot> CreatedAsync(Bot bot) => Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(bot, idempotency: null)).Bot;
}
