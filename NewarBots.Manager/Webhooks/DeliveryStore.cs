using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using NewarBots.Manager.Bots.Storage;
using StackExchange.Redis;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// The messages of every webhook, in Redis: a record each; for each webhook, one set of all of them in their order and one of those that are to
/// be sent, by when. A manager claims a message by putting it off: where that manager dies, the message is due again.
/// </summary>
internal sealed partial class DeliveryStore(IConnectionMultiplexer redis, ILogger<DeliveryStore> logger)
{
    /// <summary>Messages of one webhook that are kept, the latest; more than a receiver that is away for a day should miss.</summary>
    public const int KeptOfOne = 10_000;

    /// <summary>Longer than they are tried, so that one can still be looked at, and sent again, when it was given up.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    private const int OutboxBatch = 100;

    /// <summary>Each event is distributed once: only who takes it from the outbox makes messages of it.</summary>
    private const string DistributeScript = """
        if ARGV[1] ~= '' and redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
        for i = 2, #KEYS, 3 do
            redis.call('SET', KEYS[i], ARGV[3], 'PX', ARGV[5])
            redis.call('ZADD', KEYS[i + 1], 0, ARGV[2])
            redis.call('ZADD', KEYS[i + 2], ARGV[4], ARGV[2])
            redis.call('ZREMRANGEBYLEX', KEYS[i + 1], '-', '(' .. ARGV[6])
            redis.call('ZREMRANGEBYRANK', KEYS[i + 1], 0, -1 - tonumber(ARGV[7]))
            redis.call('PEXPIRE', KEYS[i + 1], ARGV[5])
            redis.call('PEXPIRE', KEYS[i + 2], ARGV[5])
        end
        return 1
        """;

    private const string ClaimScript = """
        local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
        for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
        return due
        """;

    /// <summary>Who has lost the claim meanwhile, to another manager or to somebody who had it sent again, writes nothing.</summary>
    private const string SettleScript = """
        if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
        if ARGV[4] == '' then redis.call('ZREM', KEYS[1], ARGV[1]) else redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1]) end
        if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'XX', 'KEEPTTL') end
        return 1
        """;

    private const string AgainScript = """
        if not redis.call('SET', KEYS[2], ARGV[3], 'XX', 'PX', ARGV[4]) then return 0 end
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
        return 1
        """;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Makes messages of what happened, for each webhook that wants to know.</summary>
    public async Task DistributeAsync(IReadOnlyList<Webhook> webhooks, DateTimeOffset now)
    {
        foreach (var entry in await Database.StreamRangeAsync(BotOutbox.Stream, count: OutboxBatch))
        {
            if (Parse(entry[BotOutbox.Field]) is { } happened)
                await SendAsync([.. webhooks.Where(webhook => webhook.Wants(happened.UserId, happened.Type))], happened, IdOf(entry.Id), now, entry.Id);
            else
                await Database.StreamDeleteAsync(BotOutbox.Stream, [entry.Id]);
        }
    }

    /// <summary>Has an event sent to webhooks, as soon as it can be.</summary>
    /// <param name="webhooks">To whom.</param>
    /// <param name="happened">What.</param>
    /// <param name="id">The message's.</param>
    /// <param name="now">From when on.</param>
    /// <param name="entry">The event's place in the outbox, which it leaves.</param>
    public Task SendAsync(IReadOnlyList<Webhook> webhooks, WebhookEvent happened, string id, DateTimeOffset now, RedisValue entry = default)
    {
        var delivery = new Delivery { Id = id, Type = happened.Type, Payload = happened.Payload, CreatedAt = now, NextAttemptAt = now };
        RedisKey[] keys = [BotOutbox.Stream, .. webhooks.SelectMany(webhook => (RedisKey[])[Record(webhook.Id, id), Index(webhook.Id), Due(webhook.Id)])];
        RedisValue[] values =
        [
            entry.IsNull ? RedisValue.EmptyString : entry, id, Serialize(delivery), now.ToUnixTimeMilliseconds(), (long)KeptFor.TotalMilliseconds,
            IdOf(now - KeptFor), KeptOfOne,
        ];
        return Database.ScriptEvaluateAsync(DistributeScript, keys, values);
    }

    public static bool IsId(string text) => IdPattern.IsMatch(text);

    /// <summary>An id for what did not come by the outbox.</summary>
    public static string NewId(DateTimeOffset now) => $"{IdOf(now)}_{Random.Shared.Next(0x1000000):x6}";

    /// <summary>Takes messages that are due, and puts them off until <paramref name="until"/>: by then they are settled, or due again.</summary>
    public async Task<IReadOnlyList<Delivery>> ClaimAsync(Webhook webhook, DateTimeOffset now, DateTimeOffset until, int atMost)
    {
        var ids = (RedisValue[])(await Database.ScriptEvaluateAsync(
            ClaimScript, [Due(webhook.Id)], [now.ToUnixTimeMilliseconds(), until.ToUnixTimeMilliseconds(), atMost]))!;
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

    /// <summary>Keeps what became of a message that was claimed until <paramref name="until"/>.</summary>
    public Task SettleAsync(Webhook webhook, Delivery delivery, DateTimeOffset until) => Database.ScriptEvaluateAsync(
        SettleScript,
        [Due(webhook.Id), Record(webhook.Id, delivery.Id)],
        [
            delivery.Id, until.ToUnixTimeMilliseconds(), Serialize(delivery),
            delivery.NextAttemptAt is { } next ? next.ToUnixTimeMilliseconds() : RedisValue.EmptyString,
        ]);

    /// <summary>Of what was to be sent to a webhook, nothing is any more.</summary>
    public async Task GiveUpAsync(Webhook webhook)
    {
        foreach (var due in await Database.SortedSetRangeByRankWithScoresAsync(Due(webhook.Id)))
        {
            if (await FindAsync(webhook, due.Element!) is { } delivery)
                await SettleAsync(webhook, delivery.GivenUp(), DateTimeOffset.FromUnixTimeMilliseconds((long)due.Score));
            else
                await Database.SortedSetRemoveAsync(Due(webhook.Id), due.Element);
        }
    }

    /// <summary>What cannot be read is no message.</summary>
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
                Log.NoMessage(logger, id, webhook.Id, exception.Message);
            return null;
        }
    }

    /// <summary>Has a message sent once more, from the beginning.</summary>
    public async Task<Delivery> AgainAsync(Webhook webhook, Delivery delivery, DateTimeOffset now)
    {
        var again = delivery.Again(now);
        await Database.ScriptEvaluateAsync(
            AgainScript,
            [Due(webhook.Id), Record(webhook.Id, delivery.Id)],
            [delivery.Id, now.ToUnixTimeMilliseconds(), Serialize(again), (long)KeptFor.TotalMilliseconds]);
        return again;
    }

    /// <summary>The messages, newest first, those behind <paramref name="after"/> where it is given.</summary>
    public async IAsyncEnumerable<Delivery> NewestAsync(
        Webhook webhook, string? after, int atMost, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var ids = await Database.SortedSetRangeByValueAsync(
            Index(webhook.Id), min: default, max: after, after is null ? Exclude.None : Exclude.Stop, Order.Descending, skip: 0, take: atMost);
        foreach (var id in ids)
        {
            cancellation.ThrowIfCancellationRequested();
            if (await FindAsync(webhook, id!) is { } delivery)
                yield return delivery;
        }
    }

    /// <summary>All of a webhook that is there no more.</summary>
    public async Task ForgetAsync(Webhook webhook)
    {
        var ids = await Database.SortedSetRangeByValueAsync(Index(webhook.Id));
        await Database.KeyDeleteAsync([Due(webhook.Id), Index(webhook.Id), .. ids.Select(id => (RedisKey)Record(webhook.Id, id!))]);
    }

    /// <summary>Ids sort by their time, and hold no dot, which stands between the parts of what is signed.</summary>
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

    private static string Due(string webhook) => $"newarbots:webhook:{webhook}:due";

    private static string Index(string webhook) => $"newarbots:webhook:{webhook}:deliveries";

    private static string Record(string webhook, string id) => $"newarbots:webhook:{webhook}:delivery:{id}";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Message {MessageId} to webhook {WebhookId} cannot be read and is removed: {Why}")]
        public static partial void NoMessage(ILogger logger, string messageId, string webhookId, string why);
    }
}
