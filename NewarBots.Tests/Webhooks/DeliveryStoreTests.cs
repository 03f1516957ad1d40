using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Webhooks;

public sealed class DeliveryStoreTests(RedisServer redis) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private const int Limit = 1024 * 1024;

    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private static readonly Webhook First = WebhookOf("anna", "wh_1");
    private static readonly Webhook Second = WebhookOf("anna", "wh_2");

    private readonly MetricsProbe _metrics = new();
    private ConnectionMultiplexer _redis = null!;
    private DeliveryStore _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redis.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _store = new(_redis, Options.Create(new WebhookOptions { MaxMegabytesPerUser = 1 }), _metrics.Bots, NullLogger<DeliveryStore>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Messages_of_a_user_stay_within_their_limit_and_the_oldest_are_dropped_first()
    {
        var other = WebhookOf("bert", "wh_3");
        await EnqueueAsync(0, other);
        for (var i = 0; i < 40; i++)
            await EnqueueAsync(i, First, Second);

        var left = await ListAsync(First);
        Assert.InRange(left.Count, 15, 26);
        Assert.Equal([.. Enumerable.Range(40 - left.Count, left.Count).Reverse().Select(Id)], left.Select(delivery => delivery.Id));
        Assert.InRange((await ListAsync(Second)).Count, left.Count, left.Count + 1);
        Assert.Single(await ListAsync(other));
        Assert.InRange(await BytesAsync("anna"), Limit / 2, Limit);
        Assert.InRange(_metrics.Of("newarbots.webhook.dropped").Sum(dropped => dropped.Value), 25, 55);
        Assert.Equal(left.Count, (await _store.ClaimAsync(First, Now, Now.AddMinutes(1), maximum: 1000)).Count);
        Assert.DoesNotContain(await KeysAsync(), key => key.EndsWith($":delivery:{Id(0)}", StringComparison.Ordinal) && !key.Contains("wh_3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_delivered_message_makes_room_without_counting_as_dropped()
    {
        await EnqueueAsync(0, First);
        var delivered = Assert.Single(await _store.ClaimAsync(First, Now, Now.AddMinutes(1), maximum: 10))
            .After(new DeliveryAttempt(Now, 0.1, 204, Error: null), jitter: 0);
        await _store.SettleAsync(First, delivered, Now.AddMinutes(1));
        Assert.Equal(DeliveryStatus.Delivered, Assert.Single(await ListAsync(First)).Status);

        var pending = 1;
        for (; (await ListAsync(First)).Any(delivery => delivery.Id == Id(0)); pending++)
            await EnqueueAsync(pending, First);

        Assert.Equal(pending - 1, (await ListAsync(First)).Count);
        Assert.Empty(_metrics.Of("newarbots.webhook.dropped"));
    }

    [Fact]
    public async Task Attempts_count_and_deleted_webhooks_do_not()
    {
        await EnqueueAsync(0, First, Second);
        var before = await BytesAsync("anna");
        var failed = Assert.Single(await _store.ClaimAsync(First, Now, Now.AddMinutes(1), maximum: 10))
            .After(new DeliveryAttempt(Now, 0.1, HttpStatus: null, new string('e', 1000)), jitter: 0);
        await _store.SettleAsync(First, failed, Now.AddMinutes(1));
        Assert.InRange(await BytesAsync("anna"), before + 1000, before + 2000);
        await _store.RedeliverAsync(First, failed, Now);

        await _store.DeleteAllAsync(First);
        Assert.Equal(before / 2, await BytesAsync("anna"));
        await _store.DeleteAllAsync(Second);

        Assert.Equal(0, await BytesAsync("anna"));
        Assert.Equal(["newarbots:webhooks:user:anna:bytes"], await KeysAsync());
    }

    [Fact]
    public async Task Pending_messages_of_a_disabled_webhook_fail_in_batches_so_that_others_do_not_wait()
    {
        for (var number = 0; number < DeliveryStore.Batch + 100; number++)
            await _store.EnqueueAsync([First], new(First.UserId, "bot.failed", "x"), Id(number), Now);

        await _store.FailPendingAsync(First);
        Assert.Equal((DeliveryStore.Batch, 100), await CountAsync());
        await _store.FailPendingAsync(First);
        Assert.Equal((DeliveryStore.Batch + 100, 0), await CountAsync());
        await _store.FailPendingAsync(First);

        async Task<(int Failed, int Pending)> CountAsync()
        {
            var all = await ListAsync(First);
            return (all.Count(one => one.Status is DeliveryStatus.Failed), all.Count(one => one.Status is DeliveryStatus.Pending));
        }
    }

    [Fact]
    public async Task A_message_that_is_redelivered_late_stays_until_it_is_settled()
    {
        await EnqueueAsync(0, First);
        var failed = Assert.Single(await _store.ClaimAsync(First, Now, Now.AddMinutes(1), maximum: 10)).AsFailed();
        await _store.SettleAsync(First, failed, Now.AddMinutes(1));
        var late = Now + DeliveryStore.Retention - TimeSpan.FromMinutes(10);
        Assert.NotNull(await _store.RedeliverAsync(First, failed, late));

        // The next event finds the message older than the retention.
        var later = Now + DeliveryStore.Retention + TimeSpan.FromMinutes(10);
        await EnqueueAtAsync(later);

        var claimed = await _store.ClaimAsync(First, later, later.AddMinutes(1), maximum: 10);
        Assert.Equal(2, claimed.Count);
        var redelivered = Assert.Single(claimed, delivery => delivery.Id == Id(0));
        Assert.Contains(await ListAsync(First), delivery => delivery.Id == Id(0));
        await _store.SettleAsync(First, redelivered.After(new DeliveryAttempt(later, 0.1, 204, Error: null), jitter: 0), later.AddMinutes(1));
        await EnqueueAtAsync(later.AddMinutes(2));
        Assert.DoesNotContain(await ListAsync(First), delivery => delivery.Id == Id(0));

        Task EnqueueAtAsync(DateTimeOffset at) => _store.EnqueueAsync([First], new(First.UserId, "bot.failed", "x"), DeliveryStore.NewId(at), at);
    }

    [Fact]
    public async Task A_message_that_was_deleted_cannot_be_redelivered()
    {
        await EnqueueAsync(0, First);
        var delivery = Assert.Single(await ListAsync(First));
        await _store.DeleteAllAsync(First);

        Assert.Null(await _store.RedeliverAsync(First, delivery, Now));
        Assert.Empty(await _store.ClaimAsync(First, Now, Now.AddMinutes(1), maximum: 10));
    }

    private static Webhook WebhookOf(string user, string id) =>
        new() { Id = id, UserId = UserId.Parse(user), Url = new("https://example.com"), CreatedAt = Now, Secret = WebhookSignature.NewSecret() };

    private static string Id(int number) => $"msg_{Now.ToUnixTimeMilliseconds():d13}_{number:d6}";

    /// <summary>A message of 20 kB to each webhook, all of the same user.</summary>
    private Task EnqueueAsync(int number, params Webhook[] webhooks) =>
        _store.EnqueueAsync(webhooks, new(webhooks[0].UserId, "bot.failed", new string('x', 20_000)), Id(number), Now);

    private async Task<List<Delivery>> ListAsync(Webhook webhook) => await _store.ListAsync(webhook, before: null, 1000, Cancellation).ToListAsync(Cancellation);

    private async Task<long> BytesAsync(string user) => (long)await _redis.GetDatabase().HashGetAsync($"newarbots:webhooks:user:{user}:bytes", "total");

    private async Task<List<string>> KeysAsync() => await _redis.GetServers()[0].KeysAsync().Select(key => (string)key!).ToListAsync(Cancellation);
}
