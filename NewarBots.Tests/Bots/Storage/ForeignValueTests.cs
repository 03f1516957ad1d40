using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Bots.Storage;

/// <summary>Somebody has put values of another type where the manager keeps its own.</summary>
public sealed class ForeignValueTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private static readonly DateTimeOffset Tomorrow = TimeProvider.System.GetUtcNow().AddDays(1);

    private readonly MetricsProbe _metrics = new();
    private ConnectionMultiplexer _redis = null!;
    private BotStore _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await server.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _store = new(_redis, _metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System, NullLogger<BotStore>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData(RedisType.String)]
    [InlineData(RedisType.List)]
    public async Task Whatever_lies_in_the_place_of_an_index_or_a_claim_the_records_make_it_anew(RedisType foreign)
    {
        await FillAsync();
        var before = await ContentsAsync();
        Assert.Equal(20, before.Count);

        foreach (var (key, contents) in before)
        {
            await ReplaceAsync(key, foreign);
            await _store.MendAsync(Cancellation);

            Assert.Equal(contents, (await ContentsAsync()).GetValueOrDefault(key));
        }

        foreach (var key in before.Keys)
            await ReplaceAsync(key, foreign);
        await _store.MendAsync(Cancellation);
        Assert.Equal(before, await ContentsAsync());
    }

    [Theory]
    [InlineData("newarbots:bots")]
    [InlineData("newarbots:bots:active")]
    [InlineData("newarbots:bots:queued")]
    [InlineData("newarbots:bots:user:anna")]
    [InlineData("newarbots:bots:active:user:anna")]
    [InlineData("newarbots:bots:status:queued")]
    [InlineData("newarbots:bots:status:queued:user:anna")]
    [InlineData("newarbots:bots:scheduled")]
    [InlineData("newarbots:bots:scheduled:user:anna")]
    [InlineData("newarbots:webhooks:outbox")]
    public async Task What_needs_a_key_that_holds_something_else_is_refused_as_a_whole_and_succeeds_once_it_is_mended(string key)
    {
        var limits = new BotLimits(Places: 10, Waiting: 10, OfOneUser: 10, ScheduledOfOneUser: 10);
        await FillAsync();
        await ReplaceAsync(key, RedisType.List);
        var before = await EverythingAsync();
        var bot = SampleBots.Queued("https://meet.google.com/new-call-abc");
        var later = SampleBots.Scheduled(Tomorrow, "https://meet.google.com/new-call-abd");

        Exception?[] refusals = [await RefusalAsync(bot), await RefusalAsync(later)];
        Assert.Contains(refusals, refusal => refusal is ForeignRedisValueException);
        Assert.All(refusals.OfType<Exception>(), refusal => Assert.True(refusal.IsRedisAway(), refusal.ToString()));
        Assert.True(_store.IsDamaged);
        if (refusals.All(refusal => refusal is not null))
            Assert.Equal(before, await EverythingAsync());

        await _store.MendAsync(Cancellation);
        Assert.False(_store.IsDamaged);
        if (refusals[0] is not null)
            Assert.Null(await RefusalAsync(bot));
        if (refusals[1] is not null)
            Assert.Null(await RefusalAsync(later));
        Assert.Equal(
            ["abc-defg-hia", "abc-defg-hib", "new-call-abc"],
            LaunchPlan.Next(await _store.ActiveAsync(), capacity: 10).Select(next => next.MeetingUrl.AbsolutePath[1..]).ToList());
        Assert.IsType<StartResult.Started>(await _store.StartAsync(later.Id, Tomorrow, traceParent: null, limits));

        async Task<Exception?> RefusalAsync(Bot one) => await Record.ExceptionAsync(() => _store.CreateAsync(one, idempotency: null, limits));
    }

    [Fact]
    public async Task A_claim_that_names_no_bot_is_given_to_whose_it_is()
    {
        await FillAsync();
        var before = await ContentsAsync();
        var claim = before.Keys.First(key => key.StartsWith("newarbots:claim:", StringComparison.Ordinal));
        await _redis.GetDatabase().StringSetAsync(claim, "NOBODY");

        await _store.MendAsync(Cancellation);

        Assert.Equal(before, await ContentsAsync());
    }

    [Fact]
    public async Task Bots_whose_records_are_lost_keep_no_place_and_no_meeting()
    {
        var limits = new BotLimits(Places: 1, Waiting: 1, OfOneUser: 1, ScheduledOfOneUser: 1);
        var queued = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"));
        var scheduled = await CreatedAsync(SampleBots.Scheduled(Tomorrow, "https://meet.google.com/abc-defg-hib"));
        var other = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia", user: "bert"));
        var before = await ContentsAsync();
        var claims = before.Where(entry => entry.Key.StartsWith("newarbots:claim:", StringComparison.Ordinal)).ToDictionary();
        await _redis.GetDatabase().KeyDeleteAsync($"newarbots:bot:{queued.Id}");
        await _redis.GetDatabase().HashDeleteAsync($"newarbots:bot:{scheduled.Id}", "record");

        Assert.Equal([other.Id], (await _store.ActiveAsync()).Select(bot => bot.Id));
        Assert.True(_store.HasLostRecords);
        await _store.FreeAsync(Cancellation);
        await _store.ActiveAsync();

        Assert.False(_store.HasLostRecords);
        Assert.Equal([other.Id.ToString()], (await ContentsAsync()).Where(entry => claims.ContainsKey(entry.Key)).Select(entry => entry.Value));
        Assert.IsType<CreateResult.Created>(await _store.CreateAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"), idempotency: null, limits));
        Assert.IsType<CreateResult.Created>(
            await _store.CreateAsync(SampleBots.Scheduled(Tomorrow, "https://meet.google.com/abc-defg-hib"), idempotency: null, limits));
    }

    [Fact]
    public async Task What_cannot_be_read_keeps_its_place()
    {
        var queued = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"));
        var before = await ContentsAsync();
        await _redis.GetDatabase().HashSetAsync($"newarbots:bot:{queued.Id}", "record", "no JSON");

        Assert.Empty(await _store.ActiveAsync());
        Assert.False(_store.HasLostRecords);
        await _store.FreeAsync(Cancellation);

        Assert.Equal(before.Where(IsPlace), (await ContentsAsync()).Where(IsPlace));

        static bool IsPlace(KeyValuePair<string, string> entry) =>
            entry.Key.StartsWith("newarbots:bots:active", StringComparison.Ordinal) || entry.Key.StartsWith("newarbots:claim:", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_that_never_runs_out_holds_nobody_up()
    {
        var id = SessionId.New(TimeProvider.System);
        await ReplaceAsync($"newarbots:lease:{id}", RedisType.List);

        await using var lease = await new BotLeases(_redis).TryTakeAsync(id, Cancellation);

        Assert.NotNull(lease);
    }

    [Fact]
    public async Task The_manager_answers_503_and_then_goes_on_by_itself_and_says_once_what_it_found()
    {
        await using var manager = await ManagerProcess.StartAsync(server.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"));
        var first = await manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await ReplaceAsync("newarbots:bots:active", RedisType.String);

        var (status, problem) = await manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/abc-defg-hik"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:newarbots:problem:store-unavailable"), (status, (string?)problem!["type"]));
        await Eventually.TrueAsync(
            async () => (await manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/abc-defg-hik"}""")).Status is HttpStatusCode.Accepted);

        Assert.Equal(HttpStatusCode.Conflict, (await manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/abc-defg-hij", "userId": "anna"}""")).Status);
        Assert.Contains(first, (await manager.GetAsync("/bots?status=queued")).Body!.ToJsonString(), StringComparison.Ordinal);
        Assert.Single(manager.Output.Split('\n'), line => line.Contains("Under newarbots:bots:active Redis held", StringComparison.Ordinal));
        Assert.DoesNotContain("that nobody expected", manager.Output, StringComparison.Ordinal);
    }

    /// <summary>Two that wait, one that records, one that has ended, and one for tomorrow.</summary>
    private async Task FillAsync()
    {
        await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hia"));
        await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hib"));
        await CreatedAsync(SampleBots.Scheduled(Tomorrow, "https://meet.google.com/abc-defg-hic", user: "bert"));
        var recording = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hid", user: "bert"));
        await _store.UpdateAsync(recording.Id, BotLifecycle.LaunchBegun);
        await _store.UpdateAsync(recording.Id, bot => BotLifecycle.Heard(bot, bot.Says(BotStatus.Recording, 100)));
        var ended = await CreatedAsync(SampleBots.Queued("https://meet.google.com/abc-defg-hie"));
        await _store.UpdateAsync(ended.Id, bot => BotLifecycle.StopAsked(bot, SampleBots.Noon));
    }

    private async Task<Bot> CreatedAsync(Bot bot) => Assert.IsType<CreateResult.Created>(await _store.CreateAsync(bot, idempotency: null)).Bot;

    private async Task ReplaceAsync(string key, RedisType type)
    {
        await _redis.GetDatabase().KeyDeleteAsync(key);
        if (type is RedisType.String)
            await _redis.GetDatabase().StringSetAsync(key, "somebody else's");
        else
            await _redis.GetDatabase().ListRightPushAsync(key, "somebody else's");
    }

    /// <summary>The indexes and claims.</summary>
    private async Task<SortedDictionary<string, string>> ContentsAsync() =>
        new((await EverythingAsync()).Where(entry => entry.Key.StartsWith("newarbots:bots", StringComparison.Ordinal) || entry.Key.StartsWith("newarbots:claim:", StringComparison.Ordinal)).ToDictionary());

    private async Task<SortedDictionary<string, string>> EverythingAsync()
    {
        var everything = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var database = _redis.GetDatabase();
        foreach (var key in _redis.GetServers()[0].Keys(pattern: "*"))
        {
            everything[key!] = await database.KeyTypeAsync(key) switch
            {
                RedisType.SortedSet => string.Join(' ', await database.SortedSetRangeByRankWithScoresAsync(key)),
                RedisType.String => (string)(await database.StringGetAsync(key))!,
                var type => $"{type} {Convert.ToHexString((await database.KeyDumpAsync(key))!)}",
            };
        }

        return everything;
    }
}
