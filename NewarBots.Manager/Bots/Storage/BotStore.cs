using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// The bots' records in Redis, and the only type that knows their keys. Every change is a compare-and-set on the record's
/// version, done by a script together with all that must agree with it: the indexes, the claim on the meeting, and, where the
/// manager itself changed the status, the message on the bot's stream and channel, and what is to be told to webhooks. So nobody sees one
/// without the other, and several managers can work on one Redis.
/// </summary>
internal sealed partial class BotStore(
    IConnectionMultiplexer redis, BotMetrics metrics, IBotOutbox webhooks, TimeProvider time, ILogger<BotStore> logger)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };

    /// <summary>Pub/sub, to all managers: a bot that was deleted, as its id, a space, and its user.</summary>
    public static readonly RedisChannel Deletions = RedisChannel.Literal("newarbots:bots:deleted");

    private const string VersionField = "version";
    private const string RecordField = "record";
    private const string IdempotencyField = "idempotency";

    private const int BatchOfUnknown = 1_000;

    /// <summary>So many are read at a time where most are passed over.</summary>
    private const int BatchOfOthers = 200;

    private const int WordsAfterStart = 10;

    private static readonly TimeSpan IdempotencyKept = TimeSpan.FromHours(24);

    /// <summary>For the scripts that change a status: out of the indexes of the one that it had, into those of the one that it has.</summary>
    private const string MoveByStatus = """
        if KEYS[10] ~= KEYS[12] then
            redis.call('ZREM', KEYS[10], ARGV[1])
            redis.call('ZREM', KEYS[11], ARGV[1])
            redis.call('ZADD', KEYS[12], 0, ARGV[1])
            redis.call('ZADD', KEYS[13], 0, ARGV[1])
        end
        """;

    private static readonly string CreateScript = $$"""
        if KEYS[6] ~= '' then
            local seen = redis.call('GET', KEYS[6])
            if seen then return {'repeated', seen} end
        end
        if ARGV[12] == '1' then return {'too late', ''} end
        if ARGV[10] ~= '' then
            if ARGV[11] ~= '' and redis.call('ZCARD', KEYS[11]) >= tonumber(ARGV[11]) then return {'too many scheduled', ''} end
            redis.call('ZADD', KEYS[10], ARGV[10], ARGV[1])
            redis.call('ZADD', KEYS[11], ARGV[10], ARGV[1])
        else
            local holder = redis.call('GET', KEYS[5])
            if holder then return {'claimed', holder} end
            if ARGV[7] ~= '' and redis.call('ZCARD', KEYS[8]) >= tonumber(ARGV[7]) then return {'over quota', ''} end
            if ARGV[8] ~= '' and redis.call('ZCARD', KEYS[9]) >= tonumber(ARGV[8])
                and redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[8]) + tonumber(ARGV[9]) then return {'queue full', ''} end
            redis.call('ZADD', KEYS[4], 0, ARGV[1])
            redis.call('ZADD', KEYS[8], 0, ARGV[1])
            redis.call('ZADD', KEYS[9], ARGV[14], ARGV[1])
            redis.call('SET', KEYS[5], ARGV[1])
        end
        redis.call('HSET', KEYS[1], 'record', ARGV[2], 'version', 1)
        redis.call('ZADD', KEYS[2], 0, ARGV[1])
        redis.call('ZADD', KEYS[3], 0, ARGV[1])
        redis.call('ZADD', KEYS[13], 0, ARGV[1])
        redis.call('ZADD', KEYS[14], 0, ARGV[1])
        if KEYS[6] ~= '' then
            redis.call('SET', KEYS[6], ARGV[3] .. ' ' .. ARGV[1], 'EX', ARGV[4])
            redis.call('HSET', KEYS[1], 'idempotency', KEYS[6])
        end
        redis.call('XADD', KEYS[7], '*', 'message', ARGV[5])
        redis.call('PUBLISH', ARGV[6], ARGV[5])
        {{BotOutbox.Append(key: 12, argument: 13)}}
        return {'created', ARGV[1]}
        """;

    private static readonly string StartScript = $$"""
        if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return {'changed', ''} end
        local holder = redis.call('GET', KEYS[5])
        if holder then return {'claimed', holder} end
        if ARGV[6] ~= '' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[6]) then return {'over quota', ''} end
        redis.call('HSET', KEYS[1], 'record', ARGV[3], 'version', ARGV[2] + 1)
        redis.call('ZREM', KEYS[7], ARGV[1])
        redis.call('ZREM', KEYS[8], ARGV[1])
        redis.call('ZADD', KEYS[2], 0, ARGV[1])
        redis.call('ZADD', KEYS[3], 0, ARGV[1])
        redis.call('ZADD', KEYS[4], ARGV[8], ARGV[1])
        redis.call('SET', KEYS[5], ARGV[1])
        redis.call('XADD', KEYS[6], '*', 'message', ARGV[4])
        redis.call('PUBLISH', ARGV[5], ARGV[4])
        {{MoveByStatus}}
        {{BotOutbox.Append(key: 9, argument: 7)}}
        return {'started', ''}
        """;

    private static readonly string AdoptScript = $$"""
        local there = redis.call('HGET', KEYS[1], 'record')
        if there and there ~= ARGV[3] then return 0 end
        redis.call('HSET', KEYS[1], 'record', ARGV[2], 'version', 1)
        if ARGV[4] == '1' then redis.call('SET', KEYS[2], ARGV[1], 'NX') end
        for i = 3, #KEYS do
            local score = ARGV[i + 2]
            if score == '' then redis.call('ZREM', KEYS[i], ARGV[1]) else redis.call('ZADD', KEYS[i], score, ARGV[1]) end
        end
        return 1
        """;

    private static readonly string BeginCompletingScript = $$"""
        redis.call('SET', KEYS[1], ARGV[1], 'NX')
        return redis.call('GET', KEYS[1])
        """;

    /// <summary>Who has changed it meanwhile has put it into its place.</summary>
    private static readonly string IndexScript = $$"""
        if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return end
        redis.call('ZADD', KEYS[2], 0, ARGV[1])
        redis.call('ZADD', KEYS[3], 0, ARGV[1])
        """;

    private static readonly string MarkCompleteScript = $$"""
        if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
        """;

    private static readonly string UpdateScript = $$"""
        if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 0 end
        redis.call('HSET', KEYS[1], 'record', ARGV[3], 'version', ARGV[2] + 1)
        if ARGV[7] == '1' then redis.call('ZREM', KEYS[6], ARGV[1]) end
        if ARGV[8] == 'gone' then
            redis.call('ZREM', KEYS[7], ARGV[1])
            redis.call('ZREM', KEYS[8], ARGV[1])
        elseif ARGV[8] ~= '' then
            redis.call('ZADD', KEYS[7], ARGV[8], ARGV[1])
            redis.call('ZADD', KEYS[8], ARGV[8], ARGV[1])
        end
        if ARGV[4] == '1' then
            redis.call('ZREM', KEYS[2], ARGV[1])
            redis.call('ZREM', KEYS[5], ARGV[1])
            if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
        end
        if ARGV[5] ~= '' then
            redis.call('XADD', KEYS[4], '*', 'message', ARGV[5])
            redis.call('PUBLISH', ARGV[6], ARGV[5])
        end
        {{MoveByStatus}}
        {{BotOutbox.Append(key: 9, argument: 9)}}
        return 1
        """;

    /// <summary>Takes a bot whose record is unreadable out of the index, together with the mark, so that nobody takes it for one that was deleted.</summary>
    private const string LoseScript = """
        redis.call('DEL', KEYS[2])
        redis.call('ZREM', KEYS[1], ARGV[1])
        """;

    /// <summary>Removes an index's members that have no record; a record comes and goes together with its places.</summary>
    private const string FreePlacesScript = """
        local freed = {}
        for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
            if redis.call('HEXISTS', ARGV[1] .. member, 'record') == 0 then
                redis.call('ZREM', KEYS[1], member)
                freed[#freed + 1] = member
            end
        end
        return freed
        """;

    /// <summary>Removes a claim on a meeting if its holder has no record.</summary>
    private const string FreeClaimScript = """
        local holder = redis.call('GET', KEYS[1])
        if not holder or redis.call('HEXISTS', ARGV[1] .. holder, 'record') == 1 then return {} end
        redis.call('DEL', KEYS[1])
        return {holder}
        """;

    private static readonly string DeleteScript = $$"""
        local seen = KEYS[5] ~= '' and redis.call('GET', KEYS[5])
        if seen and string.sub(seen, -string.len(ARGV[1]) - 1) == ' ' .. ARGV[1] then redis.call('DEL', KEYS[5]) end
        redis.call('DEL', KEYS[1], KEYS[2])
        redis.call('ZREM', KEYS[3], ARGV[1])
        redis.call('ZREM', KEYS[4], ARGV[1])
        redis.call('ZREM', KEYS[6], ARGV[1])
        redis.call('ZREM', KEYS[7], ARGV[1])
        redis.call('PUBLISH', ARGV[2], ARGV[1] .. ' ' .. ARGV[3])
        """;

    private readonly BotCache _known = new();
    private readonly ConcurrentDictionary<SessionId, RedisValue> _unreadable = new();

    private IDatabase Database => Connected(redis);

    // Its client would keep a command for five seconds in the hope of a connection; callers and loops have better to do.
    private static IDatabase Connected(IConnectionMultiplexer redis) => redis.IsConnected
        ? redis.GetDatabase()
        : throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.None, "Redis cannot be reached.");

    /// <summary>
    /// Keeps a new bot; or says what stands in its way. A queued one takes its meeting, and counts as active; a scheduled one does neither
    /// before <see cref="StartAsync"/>.
    /// </summary>
    /// <param name="bot">The new bot.</param>
    /// <param name="idempotency">The request's key with the hash of its body, where the caller gave one.</param>
    /// <param name="limits">How many there may be; as many as come where it is not given.</param>
    public async Task<CreateResult> CreateAsync(Bot bot, IdempotencyKey? idempotency, BotLimits? limits = null)
    {
        bot = bot with { LastSequence = 1 };
        RedisKey[] keys =
        [
            Key(bot.Id), All, OfUser(bot.UserId), Active, Claim(bot),
            idempotency is null ? string.Empty : Idempotency(bot.UserId, idempotency.Key),
            RedisNames.EventStream(bot.Id), ActiveOf(bot.UserId), Queued, Scheduled, ScheduledOf(bot.UserId), BotOutbox.Stream,
            OfStatus(bot.Status), OfStatus(bot.Status, bot.UserId),
        ];
        var happened = webhooks.EventOf(before: null, bot);
        RedisValue[] values =
        [
            bot.Id.ToString(), Serialize(bot), idempotency?.BodyHash ?? string.Empty, (long)IdempotencyKept.TotalSeconds,
            Announcement(bot), RedisNames.StatusChannel(bot.Id),
            limits?.OfOneUser ?? RedisValue.EmptyString, limits?.Waiting ?? RedisValue.EmptyString, limits?.Places ?? RedisValue.EmptyString,
            DueIf(BotStatus.Scheduled, bot), limits?.ScheduledOfOneUser ?? RedisValue.EmptyString, bot.IsTooLate(time.GetUtcNow()) ? 1 : 0, happened,
            DueIf(BotStatus.Queued, bot),
        ];
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(CreateScript, keys, values))!;
        var holder = (string)reply[1]!;
        switch ((string)reply[0]!)
        {
            case "created":
                _known.Remember(bot);
                webhooks.Wake(happened);
                return new CreateResult.Created(bot);
            case "over quota":
                return new CreateResult.OverQuota();
            case "queue full":
                return new CreateResult.QueueFull();
            case "too many scheduled":
                return new CreateResult.TooManyScheduled();
            case "too late":
                return new CreateResult.TooLate();
            case "claimed":
                return new CreateResult.MeetingTaken(SessionId.Parse(holder));
            default:
                var parts = holder.Split(' ');
                if (parts[0] != idempotency!.BodyHash)
                    return new CreateResult.KeyReused();
                return await FindAsync(SessionId.Parse(parts[1])) is { } earlier
                    ? new CreateResult.Repeated(earlier)
                    : new CreateResult.KeyReused();
        }
    }

    /// <summary>Queues a scheduled bot that is due: its meeting is its own from now on, and it counts as active.</summary>
    /// <param name="id">The bot.</param>
    /// <param name="now">One that is due later, because it was changed meanwhile, is left alone.</param>
    /// <param name="traceParent">Of its start.</param>
    /// <param name="limits">The user's quota counts; the place in the queue was promised when it was accepted.</param>
    public async Task<StartResult> StartAsync(SessionId id, DateTimeOffset now, string? traceParent, BotLimits limits)
    {
        while (true)
        {
            var (found, version) = await ReadAsync(id);
            if (found is not { Status: BotStatus.Scheduled } bot || bot.DueAt > now)
                return new StartResult.NotDue();

            var next = BotLifecycle.Started(bot, traceParent) with { LastSequence = bot.LastSequence + 1 };
            RedisKey[] keys =
            [
                Key(id), Active, ActiveOf(bot.UserId), Queued, Claim(bot), RedisNames.EventStream(id), Scheduled, ScheduledOf(bot.UserId),
                BotOutbox.Stream, OfStatus(bot.Status), OfStatus(bot.Status, bot.UserId), OfStatus(next.Status), OfStatus(next.Status, bot.UserId),
            ];
            var happened = webhooks.EventOf(bot, next);
            RedisValue[] values =
            [
                id.ToString(), version, Serialize(next), Announcement(next), RedisNames.StatusChannel(id), limits.OfOneUser ?? RedisValue.EmptyString,
                happened, DueIf(BotStatus.Queued, next),
            ];
            var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(StartScript, keys, values))!;
            switch ((string)reply[0]!)
            {
                case "started":
                    _known.Remember(next);
                    webhooks.Wake(happened);
                    return new StartResult.Started();
                case "claimed":
                    return new StartResult.MeetingTaken(SessionId.Parse((string)reply[1]!));
                case "over quota":
                    return new StartResult.OverQuota();
            }
        }
    }

    /// <returns>The scheduled bots that are due, the longest due first, and when the next one is.</returns>
    public async Task<(IReadOnlyList<SessionId> Due, DateTimeOffset? Next)> DueAsync(DateTimeOffset now)
    {
        var moment = now.ToUnixTimeMilliseconds();
        var due = await Database.SortedSetRangeByScoreAsync(Scheduled, stop: moment);
        var next = await Database.SortedSetRangeByScoreWithScoresAsync(Scheduled, start: moment, exclude: Exclude.Start, take: 1);
        return (
            [.. Ids(due)],
            next.Length == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)next[0].Score));
    }

    /// <summary>The bots that are scheduled, the next one first.</summary>
    public async Task<IReadOnlyList<Bot>> ScheduledAsync() =>
        await ReadAsync(await Database.SortedSetRangeByScoreAsync(Scheduled));

    public async Task<int> CountScheduledAsync() => (int)await Database.SortedSetLengthAsync(Scheduled);

    /// <summary>
    /// Keeps the record of a bot that lives already, or has ended. Nothing is announced: it goes on to speak for itself. The meeting
    /// of an active one is its own again, unless another bot has gone there meanwhile.
    /// </summary>
    /// <returns><see langword="false"/> where there is a record that can be read, which stays as it is.</returns>
    public async Task<bool> AdoptAsync(Bot bot)
    {
        // What stands in its way and cannot be read is known from here on.
        await ReadAsync(bot.Id);
        var places = PlacesOf(bot).ToList();
        RedisKey[] keys = [Key(bot.Id), Claim(bot), .. places.Select(place => (RedisKey)place.Index)];
        RedisValue[] values =
        [
            bot.Id.ToString(), Serialize(bot), _unreadable.GetValueOrDefault(bot.Id, RedisValue.EmptyString), IsActive(bot) ? 1 : 0,
            .. places.Select(place => place.Score),
        ];
        if (!(bool)await Database.ScriptEvaluateAsync(AdoptScript, keys, values))
            return false;
        _unreadable.TryRemove(bot.Id, out _);
        return true;
    }

    /// <summary>At the last look at the active bots, some were on no record.</summary>
    public bool HasLostRecords { get; private set; }

    /// <summary>
    /// Gives free what is kept for bots that are on no record. To be called once every bot that lives is on record again, or such a one would
    /// lose its meeting to another bot.
    /// </summary>
    public async Task FreeAsync(CancellationToken cancellation)
    {
        string[] patterns = [Active, $"{Active}:user:*", Queued, Scheduled, $"{Scheduled}:user:*", $"{Claims}*"];
        foreach (var pattern in patterns)
        {
            await foreach (var key in KeysAsync(pattern).WithCancellation(cancellation))
            {
                var script = key.StartsWith(Claims, StringComparison.Ordinal) ? FreeClaimScript : FreePlacesScript;
                foreach (var id in (string[])(await Database.ScriptEvaluateAsync(script, [key], [Records]))!)
                    Log.Freed(logger, key, id);
            }
        }
    }

    /// <summary>All keys that match; a key that is added or removed meanwhile may or may not be among them.</summary>
    private IAsyncEnumerable<string> KeysAsync(string pattern) => redis.GetServers()
        .Where(server => server is { IsConnected: true, IsReplica: false })
        .ToAsyncEnumerable()
        .SelectMany(server => server.KeysAsync(pattern: pattern, pageSize: 1_000))
        .Select(key => (string)key!);

    /// <summary>Asked before a look at everything that lives, or has ended.</summary>
    /// <returns>
    /// What to give to <see cref="MarkCompleteAsync"/> once all that was seen is on record; <see langword="null"/> where that was done
    /// since Redis was emptied last.
    /// </returns>
    public async Task<string?> BeginCompletingAsync()
    {
        var mark = (string)(await Database.ScriptEvaluateAsync(BeginCompletingScript, [Complete], [SessionId.New(time).ToString()]))!;
        return mark == IsComplete ? null : mark;
    }

    /// <summary>Everything was seen and is on record, unless Redis was emptied since <see cref="BeginCompletingAsync"/>.</summary>
    public Task MarkCompleteAsync(string mark) => Database.ScriptEvaluateAsync(MarkCompleteScript, [Complete], [mark, IsComplete]);

    /// <returns><see langword="false"/> where Redis has been emptied since <see cref="MarkCompleteAsync"/>.</returns>
    public async Task<bool> IsCompleteAsync() => await Database.StringGetAsync(Complete) == IsComplete;

    /// <returns>Those of the sessions that are on no record, in their order; no more than asked for.</returns>
    public async Task<IReadOnlyList<SessionId>> UnknownAsync(IEnumerable<SessionId> ids, int atMost)
    {
        var unknown = new List<SessionId>();
        foreach (var some in ids.Chunk(BatchOfUnknown))
        {
            var known = await Database.SortedSetScoresAsync(All, [.. some.Select(id => (RedisValue)id.ToString())]);
            unknown.AddRange(some.Where((_, index) => known[index] is null));
            if (unknown.Count >= atMost)
                break;
        }

        return [.. unknown.Take(atMost)];
    }

    public async Task<Bot?> FindAsync(SessionId id) => (await ReadAsync(id)).Bot;

    /// <summary>For whoever only wants to look.</summary>
    /// <returns>The record, and whether it is only what this manager knew last, because Redis is away.</returns>
    /// <exception cref="RedisException">Redis is away, and nothing is known of such a bot.</exception>
    public async Task<(Bot? Bot, bool IsStale)> LookUpAsync(SessionId id)
    {
        try
        {
            return (await FindAsync(id), IsStale: false);
        }
        catch (Exception exception) when (exception.IsRedisAway() && _known.Find(id) is not null)
        {
            return (_known.Find(id), IsStale: true);
        }
    }

    /// <summary>
    /// Changes a record by <paramref name="change"/>, again and again until no one else has changed it in between.
    /// </summary>
    /// <returns>The record as it is afterwards; <see langword="null"/> where there is none.</returns>
    public Task<Bot?> UpdateAsync(SessionId id, Func<Bot, Bot> change) => UpdateAsync(id, bot => ValueTask.FromResult(change(bot)));

    /// <inheritdoc cref="UpdateAsync(SessionId, Func{Bot, Bot})"/>
    public async Task<Bot?> UpdateAsync(SessionId id, Func<Bot, ValueTask<Bot>> change)
    {
        while (true)
        {
            var (found, version) = await ReadAsync(id);
            if (found is not { } bot)
                return null;

            var next = await change(bot);
            if (next == bot)
                return bot;

            var announces = IsManagersToSay(next.Status) && (next.Status != bot.Status || IsChangedBeforeStart(bot, next));
            if (announces)
                next = next with { LastSequence = bot.LastSequence + 1 };
            RedisKey[] keys =
            [
                Key(id), Active, Claim(bot), RedisNames.EventStream(id), ActiveOf(bot.UserId), Queued, Scheduled, ScheduledOf(bot.UserId), BotOutbox.Stream,
                OfStatus(bot.Status), OfStatus(bot.Status, bot.UserId), OfStatus(next.Status), OfStatus(next.Status, bot.UserId),
            ];
            var happened = webhooks.EventOf(bot, next);
            RedisValue[] values =
            [
                id.ToString(), version, Serialize(next), next.Status.IsTerminal() ? 1 : 0,
                announces ? Announcement(next) : string.Empty, RedisNames.StatusChannel(id),
                next.Status is BotStatus.Queued ? 0 : 1,
                bot.Status is not BotStatus.Scheduled ? string.Empty : next.Status is BotStatus.Scheduled ? DueIf(BotStatus.Scheduled, next) : "gone",
                happened,
            ];
            if ((bool)await Database.ScriptEvaluateAsync(UpdateScript, keys, values))
            {
                _known.Remember(next);
                webhooks.Wake(happened);
                metrics.Changed(bot, next, time.GetUtcNow());
                return next;
            }
        }
    }

    /// <summary>The bots that are neither scheduled nor ended, oldest first.</summary>
    public async Task<IReadOnlyList<Bot>> ActiveAsync()
    {
        var ids = await Database.SortedSetRangeByValueAsync(Active);
        var bots = await ReadAsync(ids);
        // Who has lost its record would keep its place in the quota, and its meeting, for ever. What merely cannot be read keeps both.
        HasLostRecords = ids.Length - bots.Count > Ids(ids).Count(_unreadable.ContainsKey);
        return bots;
    }

    /// <summary>The bots that have left the queue and have not ended, oldest first.</summary>
    public async Task<IReadOnlyList<Bot>> UnderWayAsync() =>
        await ReadAsync(await Database.SortedSetCombineAsync(SetOperation.Difference, [Active, Queued]));

    /// <summary>The first in the queue, in their order, however long it is.</summary>
    public async Task<IReadOnlyList<Bot>> QueuedAsync(int atMost)
    {
        var first = new List<Bot>();
        // What has no record, or not that of a queued bot, takes nobody's turn.
        for (var rank = 0L; first.Count < atMost; rank += atMost)
        {
            var (from, to) = (rank, rank + atMost - 1);
            var ids = await Database.SortedSetRangeByRankAsync(Queued, from, to);
            first.AddRange((await ReadAsync(ids)).Where(bot => bot.Status is BotStatus.Queued));
            if (ids.Length < atMost)
                break;
        }

        return [.. first.Take(atMost)];
    }

    public async Task<int> CountQueuedAsync() => (int)await Database.SortedSetLengthAsync(Queued);

    /// <summary>What <see cref="NewestAsync"/> would say, as far as this manager knows it, while Redis is away.</summary>
    public IEnumerable<Bot> NewestKnown(UserId? user, SessionId? after) => _known.Newest(user, after);

    /// <summary>Puts every record into the indexes by status, in which those of an earlier version are not.</summary>
    public async Task IndexAsync(CancellationToken cancellation)
    {
        await foreach (var ids in PagesAsync(All, after: null, BatchOfUnknown, cancellation))
            await Task.WhenAll(Ids(ids).Select(IndexAsync));
    }

    /// <summary>The bots, newest first, those behind <paramref name="after"/> where it is given.</summary>
    /// <param name="user">Only this user's.</param>
    /// <param name="status">Only those that have it.</param>
    /// <param name="after">The last one of the page before.</param>
    /// <param name="batch">How many records are read at a time.</param>
    /// <param name="cancellation">Ends the enumeration.</param>
    public async IAsyncEnumerable<Bot> NewestAsync(
        UserId? user, BotStatus? status, SessionId? after, int batch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var index = user is { } one ? OfUser(one) : All;
        if (status is { } wanted)
        {
            if (await IsCompleteAsync())
                index = OfStatus(wanted, user);
            else
                batch = Math.Max(batch, BatchOfOthers);
        }

        await foreach (var ids in PagesAsync(index, after, batch, cancellation))
        {
            foreach (var bot in await ReadAsync(ids))
            {
                if (status is null || bot.Status == status)
                    yield return bot;
            }
        }
    }

    private async IAsyncEnumerable<RedisValue[]> PagesAsync(
        string index, SessionId? after, int batch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        RedisValue below = after is { } cursor ? cursor.ToString() : default;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var ids = await Database.SortedSetRangeByValueAsync(
                index, min: default, max: below, below.IsNull ? Exclude.None : Exclude.Stop, Order.Descending, skip: 0, take: batch);
            yield return ids;
            if (ids.Length < batch)
                yield break;
            below = ids[^1];
        }
    }

    private async Task IndexAsync(SessionId id)
    {
        var (found, version) = await ReadAsync(id);
        if (found is { } bot)
            await Database.ScriptEvaluateAsync(IndexScript, [Key(id), OfStatus(bot.Status), OfStatus(bot.Status, bot.UserId)], [id.ToString(), version]);
    }

    /// <summary>
    /// Forgets an ended bot: record, indexes, event stream, and the idempotency key that it was asked for with, unless that has become
    /// another bot's meanwhile; and tells all managers.
    /// </summary>
    public async Task DeleteAsync(Bot bot)
    {
        var idempotency = (string?)await Database.HashGetAsync(Key(bot.Id), IdempotencyField) ?? string.Empty;
        RedisKey[] keys =
        [
            Key(bot.Id), RedisNames.EventStream(bot.Id), All, OfUser(bot.UserId), idempotency, OfStatus(bot.Status), OfStatus(bot.Status, bot.UserId),
        ];
        await Database.ScriptEvaluateAsync(DeleteScript, keys, [bot.Id.ToString(), Deletions.ToString(), bot.UserId.ToString()]);
        _known.Forget(bot.Id);
    }

    /// <summary>Joining to leaving are the recorder's words, said by itself; all others are the manager's.</summary>
    private static bool IsManagersToSay(BotStatus status) => status is < BotStatus.Joining or > BotStatus.Leaving;

    /// <summary>
    /// Whoever follows it is told, and every manager woken; as long as there are numbers for that below those of the recorder and of
    /// what else is to be said before it.
    /// </summary>
    private static bool IsChangedBeforeStart(Bot bot, Bot next) =>
        bot.Status is BotStatus.Scheduled
        && bot with { LastEventId = next.LastEventId } != next
        && bot.LastSequence < StatusSequence.FirstOfRecorder - WordsAfterStart;

    private string Announcement(Bot bot)
    {
        var (reason, detail) = bot is { Status: BotStatus.Scheduled }
            ? (bot.Warning?.Reason, bot.Warning?.Text ?? $"It starts at {bot.StartAt:u}.")
            : (bot.Reason, bot.Error);
        return JsonSerializer.Serialize(
            new StatusMessage(
                bot.Id, bot.Status, time.GetUtcNow().ToUnixTimeMilliseconds(), bot.LastSequence, reason, bot.Chunks,
                bot.RecordedSeconds, bot.AudibleSeconds, bot.Participants, detail),
            ContractJson.Default.StatusMessage);
    }

    private async Task<IReadOnlyList<Bot>> ReadAsync(RedisValue[] ids)
    {
        var records = await Task.WhenAll(Ids(ids).Select(ReadAsync));
        return [.. records.Select(record => record.Bot).OfType<Bot>()];
    }

    private static IEnumerable<SessionId> Ids(IEnumerable<RedisValue> members) => members
        .Select(id => SessionId.TryParse(id, provider: null, out var session) ? session : (SessionId?)null)
        .OfType<SessionId>();

    /// <summary>What cannot be read is no record; nobody else suffers by it.</summary>
    private async Task<(Bot? Bot, RedisValue Version)> ReadAsync(SessionId id)
    {
        var fields = await Database.HashGetAsync(Key(id), [RecordField, VersionField]);
        if (fields[0].IsNull)
        {
            // Of one that waits nobody else knows: that Redis was emptied says nothing about it.
            if (_known.Find(id) is not { AwaitsContainer: true } || await IsCompleteAsync())
                _known.Forget(id);
            return default;
        }

        try
        {
            var bot = Deserialize(id, fields[0], fields[1]);
            _known.Remember(bot);
            return (bot, fields[1]);
        }
        catch (JsonException exception)
        {
            if (_unreadable.TryAdd(id, fields[0]))
            {
                Log.Unreadable(logger, id, exception.Message);
                await LoseAsync(id);
            }
            else
            {
                _unreadable[id] = fields[0];
            }

            return default;
        }
    }

    /// <summary>It is on no record any more: the next reconciliation looks at all recordings, and recalls its one where there is one.</summary>
    private Task LoseAsync(SessionId id) => Database.ScriptEvaluateAsync(LoseScript, [All, Complete], [id.ToString()]);

    private static Bot Deserialize(SessionId id, RedisValue record, RedisValue version)
    {
        var bot = JsonSerializer.Deserialize<Bot>((string)record!, Json);
        return bot?.Id == id && bot.MeetingUrl.IsAbsoluteUri && version.HasValue && version.TryParse(out long _)
            ? bot
            : throw new JsonException("It is no bot's, or another one's, or lacks its version.");
    }

    /// <summary>By which the scheduled ones and the queued ones are sorted: Unix milliseconds, never before it is due; empty for one of another status.</summary>
    private static RedisValue DueIf(BotStatus status, Bot bot) =>
        bot.Status == status ? (long)Math.Ceiling((bot.DueAt - DateTimeOffset.UnixEpoch).TotalMilliseconds) : RedisValue.EmptyString;

    private static string Serialize(Bot bot) => JsonSerializer.Serialize(bot, Json);

    private static bool IsActive(Bot bot) => bot.Status is not BotStatus.Scheduled && !bot.Status.IsTerminal();

    /// <summary>The indexes that it may be in, each with its score; without one where it is not.</summary>
    private static IEnumerable<(string Index, RedisValue Score)> PlacesOf(Bot bot)
    {
        var active = IsActive(bot) ? 0 : RedisValue.EmptyString;
        return
        [
            (All, 0), (OfUser(bot.UserId), 0), (OfStatus(bot.Status), 0), (OfStatus(bot.Status, bot.UserId), 0),
            (Active, active), (ActiveOf(bot.UserId), active), (Queued, DueIf(BotStatus.Queued, bot)),
            (Scheduled, DueIf(BotStatus.Scheduled, bot)), (ScheduledOf(bot.UserId), DueIf(BotStatus.Scheduled, bot)),
        ];
    }

    private const string All = "newarbots:bots";

    private const string Complete = "newarbots:bots:complete";

    /// <summary>Each version that keeps one index more has a word of its own: at that of an earlier one, everything is looked at again.</summary>
    private const string IsComplete = "by status";

    private const string Active = "newarbots:bots:active";

    private const string Queued = "newarbots:bots:queued";

    private const string Scheduled = "newarbots:bots:scheduled";

    private static string ScheduledOf(UserId user) => $"{Scheduled}:user:{user}";

    private static string ActiveOf(UserId user) => $"{Active}:user:{user}";

    private static string OfUser(UserId user) => $"{All}:user:{user}";

    private static string OfStatus(BotStatus status, UserId? user = null) =>
        $"{All}:status:{WireWord.Of(status)}{(user is null ? "" : $":user:{user}")}";

    private const string Records = "newarbots:bot:";

    private const string Claims = "newarbots:claim:";

    private const string IdempotencyKeys = "newarbots:idempotency:";

    private static string Key(SessionId id) => $"{Records}{id}";

    private static string Claim(Bot bot) => $"{Claims}{bot.UserId}:{Hash(MeetingIdentity.Of(bot.MeetingUrl))}";

    private static string Idempotency(UserId user, string key) => $"{IdempotencyKeys}{user}:{Hash(key)}";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Key} was held by bot {SessionId}, whose record is lost, and is free again")]
        public static partial void Freed(ILogger logger, string key, string sessionId);

        [LoggerMessage(LogLevel.Error, "The record of bot {SessionId} cannot be read and is ignored: {Why}")]
        public static partial void Unreadable(ILogger logger, SessionId sessionId, string why);
    }
}

/// <param name="Key">As the caller sent it.</param>
/// <param name="BodyHash">SHA-256 of the request's body, hexadecimal.</param>
internal sealed record IdempotencyKey(string Key, string BodyHash);

internal abstract record CreateResult
{
    public sealed record Created(Bot Bot) : CreateResult;

    /// <summary>The same request came before; this is its bot.</summary>
    public sealed record Repeated(Bot Bot) : CreateResult;

    /// <summary>The idempotency key belongs to another request.</summary>
    public sealed record KeyReused : CreateResult;

    /// <summary>The user has as many active bots as one may have.</summary>
    public sealed record OverQuota : CreateResult;

    /// <summary>Every place is taken, and every place in the queue too.</summary>
    public sealed record QueueFull : CreateResult;

    /// <summary>The user has as many scheduled bots as one may have.</summary>
    public sealed record TooManyScheduled : CreateResult;

    /// <summary>It was to start so long ago that it would have left by now.</summary>
    public sealed record TooLate : CreateResult;

    /// <summary>A bot of the same user is in that meeting, or on its way there.</summary>
    public sealed record MeetingTaken(SessionId Holder) : CreateResult;
}

internal abstract record StartResult
{
    /// <summary>It waits for its launch.</summary>
    public sealed record Started : StartResult;

    /// <summary>It is not scheduled any more, or for later than it was.</summary>
    public sealed record NotDue : StartResult;

    /// <summary>A bot of the same user is in that meeting, or on its way there.</summary>
    public sealed record MeetingTaken(SessionId Holder) : StartResult;

    /// <summary>The user has as many active bots as one may have.</summary>
    public sealed record OverQuota : StartResult;
}
