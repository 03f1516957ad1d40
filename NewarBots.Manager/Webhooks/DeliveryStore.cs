using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using NewarBots.Manager.Bots.Storage;
using StackExchange.Redis;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// The messages to webhooks, in Redis. Each message has a record. Each webhook has an index of its messages by id, and a set of pending messages
/// by due time. A manager claims a message by postponing its due time: if the manager dies, the message is due again.
/// </summary>
internal sealed partial class DeliveryStore(IConnectionMultiplexer redis, ILogger<DeliveryStore> logger)
{
    /// <summary>The number of messages kept per webhook: more than a receiver should miss if it is unavailable for a day.</summary>
    public const int MaxPerWebhook = 10_000;

    /// <summary>Longer than a message is retried, so that failed messages can still be inspected and redelivered.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(7);

    private const int OutboxBatch = 100;

    /// <summary>Each event is distributed once: only the manager that removes it from the outbox stores its messages.</summary>
    private const string DistributeScript = """
        local entry, id, json, now, retention, oldestId, maximum = unpack(ARGV)
        if entry ~= '' and redis.call('XDEL', KEYS[1], entry) == 0 then return 0 end
        for i = 2, #KEYS, 3 do
            local record, index, due = KEYS[i], KEYS[i + 1], KEYS[i + 2]
            redis.call('SET', record, json, 'PX', retention)
            redis.call('ZADD', index, 0, id)
            redis.call('ZADD', due, now, id)
            redis.call('ZREMRANGEBYLEX', index, '-', '(' .. oldestId)
            redis.call('ZREMRANGEBYRANK', index, 0, -1 - tonumber(maximum))
            redis.call('PEXPIRE', index, retention)
            redis.call('PEXPIRE', due, retention)
        end
        return 1
        """;

    private static readonly LuaScript ClaimScript = LuaScript.Prepare("""
        local ids = redis.call('ZRANGEBYSCORE', @due, '-inf', @now, 'LIMIT', 0, @maximum)
        for _, id in ipairs(ids) do redis.call('ZADD', @due, @claimedUntil, id) end
        return ids
        """);

    /// <summary>Does nothing if the claim was lost to another manager or to a redelivery.</summary>
    private static readonly LuaScript SettleScript = LuaScript.Prepare("""
        if redis.call('ZSCORE', @due, @id) ~= @claimedUntil then return 0 end
        if @nextAttemptAt == '' then redis.call('ZREM', @due, @id) else redis.call('ZADD', @due, @nextAttemptAt, @id) end
        redis.call('SET', @record, @json, 'XX', 'KEEPTTL')
        return 1
        """);

    private static readonly LuaScript RedeliverScript = LuaScript.Prepare("""
        if not redis.call('SET', @record, @json, 'XX', 'PX', @retention) then return 0 end
        redis.call('ZADD', @due, @now, @id)
        return 1
        """);

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Turns the events in the outbox into messages to the webhooks that select them.</summary>
    public async Task DistributeAsync(IReadOnlyList<Webhook> webhooks, DateTimeOffset now)
    {
        foreach (var entry in await Database.StreamRangeAsync(BotOutbox.Stream, count: OutboxBatch))
        {
            if (Parse(entry[BotOutbox.Field]) is { } webhookEvent)
                await EnqueueAsync([.. webhooks.Where(webhook => webhook.Selects(webhookEvent.UserId, webhookEvent.Type))], webhookEvent, IdOf(entry.Id), now, entry.Id);
            else
                await Database.StreamDeleteAsync(BotOutbox.Stream, [entry.Id]);
        }
    }

    /// <summary>Stores a message to each webhook, due at once.</summary>
    /// <param name="webhooks">The webhooks that receive it.</param>
    /// <param name="webhookEvent">The event.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="now">The time at which it is due.</param>
    /// <param name="entry">The event's outbox entry, which is removed; null if it does not come from the outbox.</param>
    public Task EnqueueAsync(IReadOnlyList<Webhook> webhooks, WebhookEvent webhookEvent, string id, DateTimeOffset now, RedisValue entry = default)
    {
        var delivery = new Delivery { Id = id, Type = webhookEvent.Type, Payload = webhookEvent.Payload, CreatedAt = now, NextAttemptAt = now };
        RedisKey[] keys = [BotOutbox.Stream, .. webhooks.SelectMany(webhook => (RedisKey[])[Record(webhook.Id, id), Index(webhook.Id), Due(webhook.Id)])];
        RedisValue[] values =
        [
            entry.IsNull ? RedisValue.EmptyString : entry, id, Serialize(delivery), now.ToUnixTimeMilliseconds(), (long)Retention.TotalMilliseconds,
            IdOf(now - Retention), MaxPerWebhook,
        ];
        return Database.ScriptEvaluateAsync(DistributeScript, keys, values);
    }

    public static bool IsId(string text) => IdPattern.IsMatch(text);

    /// <summary>An id for a message that does not come from the outbox.</summary>
    public static string NewId(DateTimeOffset now) => $"{IdOf(now)}_{Random.Shared.Next(0x1000000):x6}";

    /// <summary>Claims due messages until <paramref name="until"/>. Messages that are not settled by then are due again.</summary>
    public async Task<IReadOnlyList<Delivery>> ClaimAsync(Webhook webhook, DateTimeOffset now, DateTimeOffset until, int maximum)
    {
        var ids = (RedisValue[])(await Database.ScriptEvaluateAsync(
            ClaimScript,
            new { due = Due(webhook.Id), now = now.ToUnixTimeMilliseconds(), claimedUntil = until.ToUnixTimeMilliseconds(), maximum }))!;
        var claimed = new List<Delivery>();
        foreach (var id in ids)
        {
            if (await FindAsync(webhook, id!) is { } delivery)
                claimed.Add(delivery);
            else
                await Database.SortedSetRemoveAsync(Due(webhook.Id), id);
        }

        return claimed;
    }

    /// <summary>Stores the new state of a message that was claimed until <paramref name="until"/>.</summary>
    public Task SettleAsync(Webhook webhook, Delivery delivery, DateTimeOffset until) => Database.ScriptEvaluateAsync(
        SettleScript,
        new
        {
            due = Due(webhook.Id),
            record = Record(webhook.Id, delivery.Id),
            id = delivery.Id,
            claimedUntil = until.ToUnixTimeMilliseconds(),
            json = Serialize(delivery),
            nextAttemptAt = delivery.NextAttemptAt is { } next ? next.ToUnixTimeMilliseconds() : RedisValue.EmptyString,
        });

    /// <summary>Marks all pending messages to a webhook as failed.</summary>
    public async Task FailPendingAsync(Webhook webhook)
    {
        foreach (var due in await Database.SortedSetRangeByRankWithScoresAsync(Due(webhook.Id)))
        {
            if (await FindAsync(webhook, due.Element!) is { } delivery)
                await SettleAsync(webhook, delivery.AsFailed(), DateTimeOffset.FromUnixTimeMilliseconds((long)due.Score));
            else
                await Database.SortedSetRemoveAsync(Due(webhook.Id), due.Element);
        }
    }

    /// <summary>Finds a message. An unreadable record is deleted and counts as missing.</summary>
    public async Task<Delivery?> FindAsync(Webhook webhook, string id)
    {
        try
        {
            return await Database.StringGetAsync(Record(webhook.Id, id)) is { IsNull: false } record
                ? JsonSerializer.Deserialize<Delivery>((string)record!, JsonSerializerOptions.Web)
                : null;
        }
        catch (JsonException exception)
        {
            if (await Database.KeyDeleteAsync(Record(webhook.Id, id)))
                Log.Unreadable(logger, id, webhook.Id, exception.Message);
            return null;
        }
    }

    /// <summary>Makes a message due at once, with a full set of retries.</summary>
    public async Task<Delivery> RedeliverAsync(Webhook webhook, Delivery delivery, DateTimeOffset now)
    {
        var redelivery = delivery.ForRedelivery(now);
        await Database.ScriptEvaluateAsync(
            RedeliverScript,
            new
            {
                due = Due(webhook.Id),
                record = Record(webhook.Id, delivery.Id),
                id = delivery.Id,
                now = now.ToUnixTimeMilliseconds(),
                json = Serialize(redelivery),
                retention = (long)Retention.TotalMilliseconds,
            });
        return redelivery;
    }

    /// <summary>Lists messages, newest first; only those older than <paramref name="before"/> if given.</summary>
    public async IAsyncEnumerable<Delivery> ListAsync(
        Webhook webhook, string? before, int maximum, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var ids = await Database.SortedSetRangeByValueAsync(
            Index(webhook.Id), min: default, max: before, before is null ? Exclude.None : Exclude.Stop, Order.Descending, skip: 0, take: maximum);
        foreach (var id in ids)
        {
            cancellation.ThrowIfCancellationRequested();
            if (await FindAsync(webhook, id!) is { } delivery)
                yield return delivery;
        }
    }

    /// <summary>Deletes all messages to a webhook.</summary>
    public async Task DeleteAllAsync(Webhook webhook)
    {
        var ids = await Database.SortedSetRangeByValueAsync(Index(webhook.Id));
        await Database.KeyDeleteAsync([Due(webhook.Id), Index(webhook.Id), .. ids.Select(id => Record(webhook.Id, id!))]);
    }

    /// <summary>Ids sort by time. They contain no dot, because dots separate the parts of the signed text.</summary>
    private static string IdOf(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"msg_{time.ToUnixTimeMilliseconds():d13}");

    private static string IdOf(RedisValue entry)
    {
        var parts = ((string)entry!).Split('-');
        return $"msg_{parts[0].PadLeft(13, '0')}_{parts[1].PadLeft(6, '0')}";
    }

    [GeneratedRegex("^msg_[0-9]{13}_[0-9a-f]{6,20}$", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex IdPattern { get; }

    private static WebhookEvent? Parse(RedisValue text)
    {
        try
        {
            return text.IsNull ? null : JsonSerializer.Deserialize<WebhookEvent>((string)text!, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Serialize(Delivery delivery) => JsonSerializer.Serialize(delivery, JsonSerializerOptions.Web);

    private static RedisKey Due(string webhook) => $"newarbots:webhook:{webhook}:due";

    private static RedisKey Index(string webhook) => $"newarbots:webhook:{webhook}:deliveries";

    private static RedisKey Record(string webhook, string id) => $"newarbots:webhook:{webhook}:delivery:{id}";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Message {MessageId} to webhook {WebhookId} cannot be read and was removed: {Reason}")]
        public static partial void Unreadable(ILogger logger, string messageId, string webhookId, string reason);
    }
}
