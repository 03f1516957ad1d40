using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Bots.Storage;

public sealed class BotStorageTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly MetricsProbe _metrics = new();
    private ConnectionMultiplexer _redis = null!;

    private BotStorage Store => new(_redis, _metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        _redis = await server.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Record_survives_a_round_trip()
    {
        var bot = SampleBots.Queued() with
        {
            Metadata = new Dictionary<string, string> { ["case"] = "42 – ñ" },
            Leave = new() { SilenceTimeout = TimeSpan.FromSeconds(90.5) },
            Recording = new RecordingInfo("ogg", 1, 2.5, Complete: false),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            LaunchedAt = SampleBots.Noon,
        };

        await Store.Commands.CreateAsync(bot, idempotency: null);
        var kept = await Store.Queries.FindAsync(bot.Id);

        Assert.Equivalent(bot, kept, strict: true);
    }

    [Fact]
    public async Task Twenty_equal_requests_at_once_create_one_bot()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null)));

        var created = Assert.Single(results.OfType<CreateResult.Created>());
        Assert.All(results.OfType<CreateResult.MeetingTaken>(), taken => Assert.Equal(created.Bot.Id, taken.Holder));
        Assert.Equal(19, results.OfType<CreateResult.MeetingTaken>().Count());
        Assert.Equal(created.Bot.Id, Assert.Single(await Store.Queries.ActiveAsync()).Id);
    }

    [Fact]
    public async Task Twenty_requests_with_one_idempotency_key_get_the_same_bot_and_another_body_is_rejected()
    {
        var key = new IdempotencyKey("key", "k", "hash");
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Store.Commands.CreateAsync(SampleBots.Queued(), key)));

        var created = Assert.Single(results.OfType<CreateResult.Created>());
        Assert.All(results.OfType<CreateResult.Repeated>(), repeated => Assert.Equal(created.Bot.Id, repeated.Bot.Id));
        Assert.Equal(19, results.OfType<CreateResult.Repeated>().Count());
        Assert.IsType<CreateResult.KeyReused>(await Store.Commands.CreateAsync(SampleBots.Queued(), key with { BodyHash = "other" }));
    }

    [Fact]
    public async Task Meeting_is_free_again_once_its_bot_has_ended()
    {
        var first = await CreatedAsync(SampleBots.Queued());
        await Store.Commands.UpdateAsync(first.Id, bot => BotLifecycle.StopAsked(bot, SampleBots.Noon));

        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null));
    }

    [Fact]
    public async Task Two_users_can_each_send_a_bot_to_one_meeting()
    {
        await CreatedAsync(SampleBots.Queued(user: "anna"));
        await CreatedAsync(SampleBots.Queued(user: "bert"));
    }

    [Fact]
    public async Task Concurrent_requests_do_not_exceed_the_quota_of_a_user()
    {
        var limits = new BotLimits(Places: 50, Waiting: 50, OfOneUser: 3);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Store.Commands.CreateAsync(InMeeting(i), idempotency: null, limits)));

        var created = results.OfType<CreateResult.Created>().ToList();
        Assert.Equal(3, created.Count);
        Assert.Equal(17, results.OfType<CreateResult.OverQuota>().Count());
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(user: "bert"), idempotency: null, limits));
        await Store.Commands.UpdateAsync(created[0].Bot.Id, bot => BotLifecycle.StopAsked(bot, SampleBots.Noon));
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(InMeeting(20), idempotency: null, limits));
    }

    [Fact]
    public async Task Bots_that_have_ended_count_against_the_limit_of_a_user_until_they_are_deleted()
    {
        var limits = new BotLimits(Places: 50, Waiting: 50, OfOneUser: null, OnRecordOfOneUser: 3);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Store.Commands.CreateAsync(InMeeting(i), idempotency: null, limits)));
        var created = results.OfType<CreateResult.Created>().Select(result => result.Bot.Id).ToList();
        Assert.Equal((3, 17), (created.Count, results.OfType<CreateResult.TooManyOnRecord>().Count()));
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(user: "bert"), idempotency: null, limits));

        var ended = (await Store.Commands.UpdateAsync(created[0], bot => BotLifecycle.StopAsked(bot, SampleBots.Noon)))!;
        Assert.IsType<CreateResult.TooManyOnRecord>(await Store.Commands.CreateAsync(InMeeting(20), idempotency: null, limits));
        Assert.IsType<CreateResult.TooManyOnRecord>(await Store.Commands.CreateAsync(SampleBots.Scheduled(TimeProvider.System.GetUtcNow().AddHours(1)), idempotency: null, limits));

        await Store.Commands.DeleteAsync(ended);
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(InMeeting(20), idempotency: null, limits));
    }

    [Fact]
    public async Task Queue_is_full_when_every_place_and_every_queue_slot_is_taken()
    {
        var limits = new BotLimits(Places: 2, Waiting: 1, OfOneUser: null);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Store.Commands.CreateAsync(InMeeting(i), idempotency: null, limits)));

        var created = results.OfType<CreateResult.Created>().ToList();
        Assert.Equal(3, created.Count);
        Assert.Equal(17, results.OfType<CreateResult.QueueFull>().Count());
        // A bot with a container takes no slot in the queue; a bot that is finalized takes no place at all.
        await Store.Commands.UpdateAsync(created[0].Bot.Id, BotLifecycle.LaunchBegun);
        await Store.Commands.UpdateAsync(created[1].Bot.Id, BotLifecycle.LaunchBegun);
        Assert.IsType<CreateResult.QueueFull>(await Store.Commands.CreateAsync(InMeeting(20), idempotency: null, limits));
        await Store.Commands.UpdateAsync(created[2].Bot.Id, BotLifecycle.LaunchBegun);
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(InMeeting(20), idempotency: null, limits));
    }

    [Fact]
    public async Task Queue_is_ordered_by_due_time_and_skips_entries_without_a_queued_bot()
    {
        var now = TimeProvider.System.GetUtcNow();
        var (late, scheduled, early, launched) = (
            InMeeting(0) with { CreatedAt = now.AddMinutes(2) },
            SampleBots.Scheduled(now, "https://meet.google.com/xyz-defg-hij"),
            InMeeting(1),
            InMeeting(2));
        foreach (var bot in new[] { late, scheduled, early, launched })
            await CreatedAsync(bot);
        await Store.Commands.StartAsync(scheduled.Id, now, traceParent: null, new BotLimits(Places: 1, Waiting: 1, OfOneUser: null));
        await Store.Commands.UpdateAsync(launched.Id, BotLifecycle.LaunchBegun);
        for (var ghost = 0; ghost < 3; ghost++)
            await _redis.GetDatabase().SortedSetAddAsync("newarbots:bots:queued", SessionId.New(TimeProvider.System).ToString(), 0);

        Assert.Equal([early.Id, scheduled.Id], (await Store.Queries.QueuedAsync(atMostOfOneUser: 2)).Select(bot => bot.Id));
        Assert.Equal([early.Id, scheduled.Id, late.Id], (await Store.Queries.QueuedAsync(atMostOfOneUser: 50)).Select(bot => bot.Id));
        Assert.Equal(launched.Id, Assert.Single(await Store.Queries.UnderWayAsync()).Id);
    }

    [Fact]
    public async Task Queue_shows_the_first_bots_of_each_user_however_many_one_has()
    {
        var bots = new List<Bot>();
        for (var number = 0; number < 250; number++)
        {
            bots.Add(InMeeting(number) with { UserId = UserId.Parse(number % 100 == 99 ? "few" : "many"), CreatedAt = SampleBots.Noon.AddSeconds(number) });
            await CreatedAsync(bots[^1]);
        }

        var first = await Store.Queries.QueuedAsync(atMostOfOneUser: 3);

        Assert.Equal([bots[0].Id, bots[1].Id, bots[2].Id, bots[99].Id, bots[199].Id], first.Select(bot => bot.Id));
    }

    [Fact]
    public async Task Running_bot_is_adopted_once_with_its_claim_on_the_meeting()
    {
        var bot = SampleBots.In(BotStatus.Launching);

        Assert.True(await Store.Recovery.AdoptAsync(bot));
        Assert.False(await Store.Recovery.AdoptAsync(bot with { BotName = "Other" }));

        Assert.Equal(bot.BotName, Assert.Single(await Store.Queries.ActiveAsync()).BotName);
        Assert.Equal(
            bot.Id,
            Assert.IsType<CreateResult.MeetingTaken>(await Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null)).Holder);
    }

    [Fact]
    public async Task Emptying_Redis_during_recovery_starts_another_recovery()
    {
        Assert.False(await Store.Recovery.IsCompleteAsync());
        var mark = await Store.Recovery.BeginAsync();
        Assert.Equal(mark, await Store.Recovery.BeginAsync());
        Assert.False(await Store.Recovery.IsCompleteAsync());

        await EmptyAsync();
        var next = await Store.Recovery.BeginAsync();
        await Store.Recovery.CompleteAsync(mark!);
        Assert.False(await Store.Recovery.IsCompleteAsync());

        await Store.Recovery.CompleteAsync(next!);
        Assert.True(await Store.Recovery.IsCompleteAsync());
        Assert.Null(await Store.Recovery.BeginAsync());
    }

    [Fact]
    public async Task Waiting_bot_stays_cached_when_Redis_was_emptied_and_not_when_it_was_deleted()
    {
        var store = Store;
        var bot = SampleBots.Queued();
        await store.Commands.CreateAsync(bot, idempotency: null);
        await EmptyAsync();

        Assert.Null(await store.Queries.FindAsync(bot.Id));
        var waiting = Assert.Single(store.Queries.Cached());
        Assert.True(await store.Recovery.AdoptAsync(waiting));
        Assert.Equal(bot.Id, Assert.Single(await Store.Queries.ActiveAsync()).Id);
        Assert.IsType<CreateResult.QueueFull>(await Store.Commands.CreateAsync(InMeeting(1), idempotency: null, new BotLimits(Places: 0, Waiting: 1, OfOneUser: null)));

        await Store.Recovery.CompleteAsync((await Store.Recovery.BeginAsync())!);
        await Store.Commands.DeleteAsync(bot);
        Assert.Null(await store.Queries.FindAsync(bot.Id));
        Assert.Empty(store.Queries.Cached());
    }

    [Theory]
    [InlineData("null", "1")]
    [InlineData("{", "1")]
    [InlineData("another's", "1")]
    [InlineData("homeless", "1")]
    [InlineData("own", null)]
    [InlineData("own", "one")]
    public async Task Unreadable_record_affects_no_other_bot_and_is_overwritten_when_its_bot_is_adopted(string record, string? version)
    {
        var (bot, other) = (SampleBots.In(BotStatus.Launching), await CreatedAsync(SampleBots.Queued("https://meet.google.com/other-call-abc")));
        Assert.True(await Store.Recovery.AdoptAsync(bot));
        var (key, others) = ($"newarbots:bot:{bot.Id}", $"newarbots:bot:{other.Id}");
        var own = (string)(await _redis.GetDatabase().HashGetAsync(key, "record"))!;
        var garbage = record switch
        {
            "own" => own,
            "another's" => (string)(await _redis.GetDatabase().HashGetAsync(others, "record"))!,
            "homeless" => own.Replace(bot.MeetingUrl.AbsoluteUri, "nowhere", StringComparison.Ordinal),
            _ => record,
        };
        await _redis.GetDatabase().KeyDeleteAsync(key);
        await _redis.GetDatabase().HashSetAsync(key, [new("record", garbage), .. version is null ? [] : new HashEntry[] { new("version", version) }]);

        var store = Store;
        Assert.Null(await store.Queries.FindAsync(bot.Id));
        Assert.Null(await store.Commands.UpdateAsync(bot.Id, known => known with { Chunks = 7 }));
        Assert.Equal(other.Id, Assert.Single(await store.Queries.ActiveAsync()).Id);

        Assert.True(await store.Recovery.AdoptAsync(bot));
        Assert.Equal(bot.Id, (await store.Queries.FindAsync(bot.Id))!.Id);
        Assert.False(await store.Recovery.AdoptAsync(bot with { BotName = "Other" }));
    }

    [Fact]
    public async Task Concurrent_changes_are_all_kept()
    {
        var bot = await CreatedAsync(SampleBots.Queued());

        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Store.Commands.UpdateAsync(bot.Id, known => known with { Chunks = known.Chunks + 1 })));

        Assert.Equal(30, (await Store.Queries.FindAsync(bot.Id))!.Chunks);
    }

    [Fact]
    public async Task Every_status_set_by_the_manager_is_published_in_order()
    {
        var bot = SampleBots.Queued();
        var heard = new List<string>();
        // A message queue, because plain handlers run concurrently.
        (await _redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.StatusChannel(bot.Id)))).OnMessage(message => heard.Add(message.Message!));
        await CreatedAsync(bot);
        await Store.Commands.UpdateAsync(bot.Id, BotLifecycle.LaunchBegun);
        await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.StatusReceived(known, bot.Says(BotStatus.Joining, 100)));
        await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.RecorderGone(known, exit: null));

        var entries = await _redis.GetDatabase().StreamRangeAsync(RedisNames.EventStream(bot.Id));
        var said = entries.Select(entry => (string)entry[RedisNames.MessageField]!).ToList();
        var messages = said.ConvertAll(json => JsonSerializer.Deserialize(json, ContractJson.Default.StatusMessage)!);
        Assert.Equal([(BotStatus.Queued, 1L), (BotStatus.Launching, 2), (BotStatus.Finalizing, 101)], messages.Select(m => (m.Status, m.Sequence)));
        await Eventually.TrueAsync(() => heard.Count == 3);
        Assert.Equal(said, heard);
    }

    [Fact]
    public async Task Records_of_an_earlier_version_are_indexed_and_its_index_by_status_is_deleted()
    {
        var bot = await CreatedAsync(SampleBots.Queued());
        var ended = await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.StopAsked(known, SampleBots.Noon));
        await _redis.GetDatabase().KeyDeleteAsync("newarbots:bots:ended");
        await _redis.GetDatabase().SortedSetAddAsync("newarbots:bots:status:failed:user:anna", bot.Id.ToString(), 0);
        await _redis.GetDatabase().StringSetAsync("newarbots:bots:complete", "by status and end");

        var mark = await Store.Recovery.BeginAsync();
        await Store.Recovery.IndexAsync(TestContext.Current.CancellationToken);
        await Store.Recovery.CompleteAsync(mark!);

        Assert.True(await Store.Recovery.IsCompleteAsync());
        Assert.Equal(ended!.Id, Assert.Single(await Store.Queries.EndedBeforeAsync(SampleBots.Noon.AddSeconds(1), skip: 0, atMost: 2)));
        Assert.Empty(_redis.GetServers()[0].Keys(pattern: "newarbots:bots:status:*"));
    }

    [Fact]
    public async Task Bot_with_a_retention_of_its_own_expires_after_its_end_unless_it_is_finalized_again()
    {
        var bot = await CreatedAsync(SampleBots.Queued() with { Retention = TimeSpan.FromHours(1) });
        await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.StopAsked(known, SampleBots.Noon));

        Assert.Empty(await Store.Queries.ExpiredAsync(SampleBots.Noon.AddMinutes(59), skip: 0, atMost: 2));
        Assert.Equal([bot.Id], await Store.Queries.ExpiredAsync(SampleBots.Noon.AddHours(1), skip: 0, atMost: 2));
        await Store.Commands.UpdateAsync(bot.Id, known => known with { Status = BotStatus.Finalizing, EndedAt = null });
        Assert.Empty(await Store.Queries.ExpiredAsync(SampleBots.Noon.AddHours(1), skip: 0, atMost: 2));
    }

    [Fact]
    public async Task Deleted_bot_leaves_nothing_behind()
    {
        var bot = await CreatedAsync(SampleBots.Queued() with { Retention = TimeSpan.FromHours(1) });
        var ended = await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.StopAsked(known, SampleBots.Noon));
        await Store.Commands.DeleteAsync(ended!);

        // The number of changes never goes back, or other managers would miss some.
        Assert.Equal(["newarbots:bots:changes"], _redis.GetServers()[0].Keys().Select(key => (string)key!));
    }

    [Fact]
    public async Task Idempotency_key_of_a_deleted_bot_can_be_reused()
    {
        var key = new IdempotencyKey("key", "k", "hash");
        var first = Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(), key)).Bot;
        var ended = await Store.Commands.UpdateAsync(first.Id, known => BotLifecycle.StopAsked(known, SampleBots.Noon));
        Assert.IsType<CreateResult.Repeated>(await Store.Commands.CreateAsync(SampleBots.Queued(), key));

        await Store.Commands.DeleteAsync(ended!);
        var second = Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(), key)).Bot;
        // As if another manager deleted it late.
        await Store.Commands.DeleteAsync(ended!);

        Assert.Equal(second.Id, Assert.IsType<CreateResult.Repeated>(await Store.Commands.CreateAsync(SampleBots.Queued(), key)).Bot.Id);
    }

    private Task EmptyAsync() => _redis.GetServers()[0].FlushAllDatabasesAsync();

    private static Bot InMeeting(int number) => SampleBots.Queued($"https://meet.google.com/abc-defg-hi{(char)('a' + number)}");

    private async Task<Bot> CreatedAsync(Bot bot) => Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(bot, idempotency: null)).Bot;
}
