using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using StackExchange.Redis;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// The messages to webhooks, in Redis. Each message has a record. Each webhook has an index of its messages by id, and a set of pending messages
/// by due time. A manager claims a message by postponing its due time: if the manager dies, the message is due again. A ledger of each user limits
/// the bytes of all messages to the user's webhooks; the oldest are deleted first, pending or not.
/// </summary>
internal sealed partial class DeliveryStore(
    IConnectionMultiplexer redis, IOptions<WebhookOptions> options, BotMetrics metrics, ILogger<DeliveryStore> logger)
{
    /// <summary>Longer than a message is retried, so that failed messages can still be inspected and redelivered.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(7);

    private const int OutboxBatch = 100;

    /// <summary>Messages that one call changes, so that nobody waits for Redis meanwhile.</summary>
    public const int Batch = 500;

    /// <summary>
    /// A member of the ledger is the message's id, a space, and the webhook's id, so that the oldest message comes first. 512 bytes stand for the keys
    /// and index entries of a message.
    /// </summary>
    private const string Accounting = """
        local function count(ledger, bytes, member, json)
            local size = 512 + #json
            redis.call('HINCRBY', bytes, 'total', size - (tonumber(redis.call('HGET', bytes, member)) or 0))
            redis.call('HSET', bytes, member, size)
            redis.call('ZADD', ledger, 0, member)
        end
        local function forget(ledger, bytes, member)
            local id, webhook = string.match(member, '^(%S+) (%S+)$')
            local prefix = 'newarbots:webhook:' .. webhook
            redis.call('DEL', prefix .. ':delivery:' .. id)
            redis.call('ZREM', prefix .. ':deliveries', id)
            redis.call('HINCRBY', bytes, 'total', -(tonumber(redis.call('HGET', bytes, member)) or 0))
            redis.call('HDEL', bytes, member)
            redis.call('ZREM', ledger, member)
            return redis.call('ZREM', prefix .. ':due', id)
        end

        """;

    /// <summary>
    /// Each event is distributed once: only the manager that removes it from the outbox stores its messages. A message that was redelivered late stays
    /// until it is no longer pending, however old it is. Returns how many pending messages were deleted to stay within the limit.
    /// </summary>
    private const string DistributeScript = Accounting + """
        local function isPending(member)
            local id, webhook = string.match(member, '^(%S+) (%S+)$')
            return redis.call('ZSCORE', 'newarbots:webhook:' .. webhook .. ':due', id)
        end
        local entry, id, json, now, retention, oldestId, maximum, ownId, own = unpack(ARGV)
        if entry ~= '' and redis.call('XDEL', KEYS[1], entry) == 0 then return 0 end
        local ledger, bytes = KEYS[2], KEYS[3]
        if ownId ~= '' then redis.call('HSET', KEYS[4], ownId, own) end
        for i = 5, #KEYS, 3 do
            local record, index, due = KEYS[i], KEYS[i + 1], KEYS[i + 2]
            redis.call('SET', record, json, 'PX', retention)
            redis.call('ZADD', index, 0, id)
            redis.call('ZADD', due, now, id)
            for _, old in ipairs(redis.call('ZRANGEBYLEX', index, '-', '(' .. oldestId)) do
                if not redis.call('ZSCORE', due, old) then redis.call('ZREM', index, old) end
            end
            redis.call('PEXPIRE', index, retention)
            redis.call('PEXPIRE', due, retention)
            count(ledger, bytes, id .. ' ' .. ARGV[9 + (i - 2) / 3], json)
        end
        for _, old in ipairs(redis.call('ZRANGEBYLEX', ledger, '-', '(' .. oldestId)) do
            if not isPending(old) then forget(ledger, bytes, old) end
        end
        local dropped = 0
        while (tonumber(redis.call('HGET', bytes, 'total')) or 0) > tonumber(maximum) do
            local oldest = redis.call('ZRANGE', ledger, 0, 0)[1]
            if not oldest then break end
            dropped = dropped + forget(ledger, bytes, oldest)
        end
        redis.call('PEXPIRE', ledger, retention)
        redis.call('PEXPIRE', bytes, retention)
        return dropped
        """;

    private const string ForgetScript = Accounting + "for _, member in ipairs(ARGV) do forget(KEYS[1], KEYS[2], member) end";

    /// <summary>Atomic: a message that is stored meanwhile keeps the webhook.</summary>
    private static readonly LuaScript ForgetOwnScript = LuaScript.Prepare("""
        if redis.call('ZCARD', @due) > 0 then return 0 end
        redis.call('HDEL', @own, @id)
        return 1
        """);

    private static readonly LuaScript ClaimScript = LuaScript.Prepare("""
        local ids = redis.call('ZRANGEBYSCORE', @due, '-inf', @now, 'LIMIT', 0, @maximum)
        for _, id in ipairs(ids) do redis.call('ZADD', @due, @claimedUntil, id) end
        return ids
        """);

    /// <summary>Does nothing if the claim was lost to another manager or to a redelivery.</summary>
    private static readonly LuaScript SettleScript = LuaScript.Prepare(Accounting + """
        if redis.call('ZSCORE', @due, @id) ~= @claimedUntil then return 0 end
        if @nextAttemptAt == '' then redis.call('ZREM', @due, @id) else redis.call('ZADD', @due, @nextAttemptAt, @id) end
        if redis.call('SET', @record, @json, 'XX', 'KEEPTTL') then count(@ledger, @bytes, @member, @json) end
        return 1
        """);

    private static readonly LuaScript RedeliverScript = LuaScript.Prepare(Accounting + """
        if not redis.call('SET', @record, @json, 'XX', 'PX', @retention) then return 0 end
        redis.call('ZADD', @due, @now, @id)
        count(@ledger, @bytes, @member, @json)
        for _, key in ipairs({ @due, @index, @ledger, @bytes }) do redis.call('PEXPIRE', key, @retention) end
        return 1
        """);

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Turns the events in the outbox into messages to the webhooks that select them.</summary>
    public async Task DistributeAsync(IReadOnlyList<Webhook> webhooks, DateTimeOffset now)
    {
        foreach (var entry in await Database.StreamRangeAsync(BotOutbox.Stream, count: OutboxBatch))
        {
            if (Parse(entry[BotOutbox.Field]) is { } webhookEvent)
                await EnqueueAsync([.. Targets(webhooks, webhookEvent)], webhookEvent, IdOf(entry.Id), now, entry.Id);
            else
                await Database.StreamDeleteAsync(BotOutbox.Stream, [entry.Id]);
        }
    }

    private static IEnumerable<Webhook> Targets(IEnumerable<Webhook> webhooks, WebhookEvent webhookEvent)
    {
        var selected = webhooks.Where(webhook => webhook.Selects(webhookEvent.UserId, webhookEvent.Type));
        return webhookEvent.Own is { } own ? selected.Append(own) : selected;
    }

    /// <summary>The webhooks of single bots that have pending messages.</summary>
    public async Task<IReadOnlyList<Webhook>> OwnAsync()
    {
        var own = new List<Webhook>();
        foreach (var (id, json) in (await Database.HashGetAllAsync(Own)).Select(entry => ((string)entry.Name!, (string)entry.Value!)))
        {
            if ((bool)await Database.ScriptEvaluateAsync(ForgetOwnScript, new { due = Due(id), own = (RedisKey)Own, id }))
                continue;
            try
            {
                own.Add(JsonSerializer.Deserialize<Webhook>(json, WebhookEvent.Stored)!);
            }
            catch (JsonException)
            {
                // An unreadable entry must not hold up the others.
                await Database.HashDeleteAsync(Own, id);
            }
        }

        return own;
    }

    /// <summary>Stores a message to each webhook, due at once.</summary>
    /// <param name="webhooks">The webhooks that receive it.</param>
    /// <param name="webhookEvent">The event.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="now">The time at which it is due.</param>
    /// <param name="entry">The event's outbox entry, which is removed; null if it does not come from the outbox.</param>
    public async Task EnqueueAsync(IReadOnlyList<Webhook> webhooks, WebhookEvent webhookEvent, string id, DateTimeOffset now, RedisValue entry = default)
    {
        var delivery = new Delivery { Id = id, Type = webhookEvent.Type, Payload = webhookEvent.Payload, CreatedAt = now, NextAttemptAt = now };
        RedisKey[] keys =
        [
            BotOutbox.Stream, Ledger(webhookEvent.UserId), Bytes(webhookEvent.UserId), Own,
            .. webhooks.SelectMany(webhook => (RedisKey[])[Record(webhook.Id, id), Index(webhook.Id), Due(webhook.Id)]),
        ];
        RedisValue[] values =
        [
            entry.IsNull ? RedisValue.EmptyString : entry, id, Serialize(delivery), now.ToUnixTimeMilliseconds(), (long)Retention.TotalMilliseconds,
            IdOf(now - Retention), options.Value.MaxMegabytesPerUser * 1024L * 1024,
            webhookEvent.Own?.Id ?? RedisValue.EmptyString, webhookEvent.Own is { } own ? JsonSerializer.Serialize(own, WebhookEvent.Stored) : RedisValue.EmptyString,
            .. webhooks.Select(webhook => (RedisValue)webhook.Id),
        ];
        if ((long)await Database.ScriptEvaluateAsync(DistributeScript, keys, values) is > 0 and var dropped)
        {
            metrics.MessagesDropped(dropped);
            Log.Dropped(logger, dropped, webhookEvent.UserId, options.Value.MaxMegabytesPerUser);
        }
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
            ledger = Ledger(webhook.UserId),
            bytes = Bytes(webhook.UserId),
            member = Member(webhook, delivery.Id),
        });

    /// <summary>Marks pending messages to a webhook as failed, at most <see cref="Batch"/>. All calls to Redis are sent at once.</summary>
    public async Task FailPendingAsync(Webhook webhook)
    {
        var pending = await Database.SortedSetRangeByRankWithScoresAsync(Due(webhook.Id), stop: Batch - 1);
        var records = await Database.StringGetAsync([.. pending.Select(due => Record(webhook.Id, due.Element!))]);
        await Task.WhenAll(pending.Zip(records, FailAsync));

        async Task FailAsync(SortedSetEntry due, RedisValue record)
        {
            if (await ReadAsync(webhook, due.Element!, record) is { } delivery)
                await SettleAsync(webhook, delivery.AsFailed(), DateTimeOffset.FromUnixTimeMilliseconds((long)due.Score));
            else
                await Database.SortedSetRemoveAsync(Due(webhook.Id), due.Element);
        }
    }

    /// <summary>Finds a message. An unreadable record is deleted and counts as missing.</summary>
    public async Task<Delivery?> FindAsync(Webhook webhook, string id) =>
        await ReadAsync(webhook, id, await Database.StringGetAsync(Record(webhook.Id, id)));

    private async Task<Delivery?> ReadAsync(Webhook webhook, string id, RedisValue record)
    {
        try
        {
            return record.IsNull ? null : JsonSerializer.Deserialize<Delivery>((string)record!, WebhookEvent.Stored);
        }
        catch (JsonException exception)
        {
            if (await Database.KeyDeleteAsync(Record(webhook.Id, id)))
                Log.Unreadable(logger, id, webhook.Id, exception.Message);
            return null;
        }
    }

    /// <summary>Makes a message due at once, with a full set of retries.</summary>
    /// <param name="webhook">The webhook.</param>
    /// <param name="delivery">The message.</param>
    /// <param name="now">The current time.</param>
    /// <param name="isOwn">The webhook is that of a single bot.</param>
    /// <returns><see langword="null"/> if it was deleted meanwhile.</returns>
    public async Task<Delivery?> RedeliverAsync(Webhook webhook, Delivery delivery, DateTimeOffset now, bool isOwn = false)
    {
        var redelivery = delivery.ForRedelivery(now);
        var wasFound = (bool)await Database.ScriptEvaluateAsync(
            RedeliverScript,
            new
            {
                due = Due(webhook.Id),
                index = Index(webhook.Id),
                record = Record(webhook.Id, delivery.Id),
                id = delivery.Id,
                now = now.ToUnixTimeMilliseconds(),
                json = Serialize(redelivery),
                retention = (long)Retention.TotalMilliseconds,
                ledger = Ledger(webhook.UserId),
                bytes = Bytes(webhook.UserId),
                member = Member(webhook, delivery.Id),
            });
        if (wasFound && isOwn)
            await Database.HashSetAsync(Own, webhook.Id, JsonSerializer.Serialize(webhook, WebhookEvent.Stored));
        return wasFound ? redelivery : null;
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
        foreach (var ids in (await Database.SortedSetRangeByValueAsync(Index(webhook.Id))).Chunk(Batch))
        {
            await Database.ScriptEvaluateAsync(
                ForgetScript, [Ledger(webhook.UserId), Bytes(webhook.UserId)], [.. ids.Select(id => (RedisValue)Member(webhook, id!))]);
        }

        await Database.KeyDeleteAsync([Due(webhook.Id), Index(webhook.Id)]);
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
            return text.IsNull ? null : JsonSerializer.Deserialize<WebhookEvent>((string)text!, WebhookEvent.Stored);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Serialize(Delivery delivery) => JsonSerializer.Serialize(delivery, WebhookEvent.Stored);

    /// <summary>The webhooks of single bots that may have pending messages, by id.</summary>
    private const string Own = "newarbots:webhooks:own";

    private static RedisKey Ledger(UserId user) => $"newarbots:webhooks:user:{user}:messages";

    private static RedisKey Bytes(UserId user) => $"newarbots:webhooks:user:{user}:bytes";

    private static string Member(Webhook webhook, string id) => $"{id} {webhook.Id}";

    private static RedisKey Due(string webhook) => $"newarbots:webhook:{webhook}:due";

    private static RedisKey Index(string webhook) => $"newarbots:webhook:{webhook}:deliveries";

    private static RedisKey Record(string webhook, string id) => $"newarbots:webhook:{webhook}:delivery:{id}";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Deleted {Count} pending messages to webhooks of user {UserId}, the oldest, because all messages of a user may take {Megabytes} MiB")]
        public static partial void Dropped(ILogger logger, long count, UserId userId, int megabytes);

        [LoggerMessage(LogLevel.Error, "Message {MessageId} to webhook {WebhookId} cannot be read and was removed: {Reason}")]
        public static partial void Unreadable(ILogger logger, string messageId, string webhookId, string reason);
    }
}
