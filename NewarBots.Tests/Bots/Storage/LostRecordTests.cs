using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Bots.Storage;

/// <summary>Records are missing or unreadable while indexes and claims still name their bots.</summary>
public sealed class LostRecordTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private static readonly DateTimeOffset Tomorrow = TimeProvider.System.GetUtcNow().AddDays(1);

    private readonly MetricsProbe _metrics = new();
    private ConnectionMultiplexer _redis = null!;
    private BotStorage _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await server.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _store = new(_redis, _metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Bots_whose_records_are_lost_keep_no_place_and_no_meeting()
    {
        var limits = new BotLimits(Places: 1, Waiting: 1, OfOneUser: 1, ScheduledOfOneUser: 1);
        var queued = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"));
        var scheduled = await CreatedAsync(SampleBots.Scheduled(Tomorrow, "https://meet.google.com/abc-defg-hib"));
        var other = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia", user: "bert"));
        var claims = (await PlacesAsync()).Keys.Where(key => key.StartsWith("newarbots:claim:", StringComparison.Ordinal)).ToHashSet();
        await _redis.GetDatabase().KeyDeleteAsync($"newarbots:bot:{queued.Id}");
        await _redis.GetDatabase().HashDeleteAsync($"newarbots:bot:{scheduled.Id}", "record");

        Assert.Equal([other.Id], (await _store.Queries.ActiveAsync()).Select(bot => bot.Id));
        Assert.True(_store.Queries.HasLostRecords);
        await _store.Recovery.FreeAsync(Cancellation);
        await _store.Queries.ActiveAsync();

        Assert.False(_store.Queries.HasLostRecords);
        Assert.Equal([other.Id.ToString()], (await PlacesAsync()).Where(place => claims.Contains(place.Key)).Select(place => place.Value));
        Assert.IsType<CreateResult.Created>(await _store.Commands.CreateAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"), idempotency: null, limits));
        Assert.IsType<CreateResult.Created>(
            await _store.Commands.CreateAsync(SampleBots.Scheduled(Tomorrow, "https://meet.google.com/abc-defg-hib"), idempotency: null, limits));
    }

    [Fact]
    public async Task Bot_whose_record_is_unreadable_keeps_its_place_and_its_meeting()
    {
        var queued = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"));
        var before = await PlacesAsync();
        Assert.Equal(3, before.Count);
        await _redis.GetDatabase().HashSetAsync($"newarbots:bot:{queued.Id}", "record", "no JSON");

        Assert.Empty(await _store.Queries.ActiveAsync());
        Assert.False(_store.Queries.HasLostRecords);
        await _store.Recovery.FreeAsync(Cancellation);

        Assert.Equal(before, await PlacesAsync());
    }

    private async Task<Bot> CreatedAsync(Bot bot) => Assert.IsType<CreateResult.Created>(await _store.Commands.CreateAsync(bot, idempotency: null)).Bot;

    /// <summary>The indexes of active bots and the claims on meetings, each with its contents.</summary>
    private async Task<SortedDictionary<string, string>> PlacesAsync()
    {
        var places = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var database = _redis.GetDatabase();
        foreach (var key in _redis.GetServers()[0].Keys(pattern: "newarbots:bots:active*"))
            places[key!] = string.Join(' ', await database.SortedSetRangeByRankWithScoresAsync(key));
        foreach (var key in _redis.GetServers()[0].Keys(pattern: "newarbots:claim:*"))
            places[key!] = (string)(await database.StringGetAsync(key))!;
        return places;
    }
}
