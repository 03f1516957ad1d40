using StackExchange.Redis;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Redis for those who keep more than one key in agreement. A script that met a value of another kind half-way would have done half of its
/// work; so each looks at all of its keys before it changes the first.
/// </summary>
/// <param name="database">Asked anew each time; may throw where Redis is away.</param>
/// <param name="kindOf">What has to lie under a key, in Redis's own words; empty where that is somebody else's business.</param>
/// <param name="logger">Is told what was foreign.</param>
internal sealed partial class GuardedRedis(Func<IDatabase> database, Func<string, string> kindOf, ILogger logger)
{
    /// <summary>The beginning of a script whose last arguments, one for each key, say of what kind they have to be; empty where that does not matter.</summary>
    public const string Guard = """
        for i, key in ipairs(KEYS) do
            local due = ARGV[#ARGV - #KEYS + i]
            local kind = due == '' and 'none' or redis.call('TYPE', key).ok
            if kind ~= 'none' and kind ~= due then return redis.error_reply('WRONGTYPE Under ' .. key .. ' lies a ' .. kind .. '.') end
        end
        """;

    /// <summary>Arguments: the kind, the words seen where only they are wrong, then what is to be there: scores and members, or a string.</summary>
    private const string Replace = """
        local kind = redis.call('TYPE', KEYS[1]).ok
        if kind == 'none' or kind == ARGV[1] and (kind ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[2]) then return 0 end
        redis.call('DEL', KEYS[1])
        if ARGV[1] == 'zset' then
            for i = 3, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
        elseif ARGV[1] == 'string' and ARGV[3] then
            redis.call('SET', KEYS[1], ARGV[3])
        end
        return 1
        """;

    private const string FindForeign = """
        local foreign = {}
        for i, key in ipairs(KEYS) do
            local kind = redis.call('TYPE', key).ok
            if kind ~= 'none' and kind ~= ARGV[i] then foreign[#foreign + 1] = key end
        end
        return foreign
        """;

    /// <summary>Under one of the keys lies what nobody of ours has put there; what needs that key fails until <see cref="MendAsync"/>.</summary>
    public bool IsDamaged { get; private set; }

    /// <exception cref="ForeignRedisValueException">What it asks for is not of its kind.</exception>
    public async Task<T> AskAsync<T>(Func<IDatabase, Task<T>> question)
    {
        try
        {
            return await question(database());
        }
        catch (RedisServerException exception) when (exception.IsWrongType())
        {
            IsDamaged = true;
            throw new ForeignRedisValueException(exception);
        }
    }

    /// <summary>Evaluates a script that begins with <see cref="Guard"/>.</summary>
    /// <exception cref="ForeignRedisValueException">Under one of the keys lies something of another kind; nothing was done.</exception>
    public Task<RedisResult> RunAsync(string script, RedisKey[] keys, RedisValue[] values) => AskAsync(known =>
        known.ScriptEvaluateAsync(script, keys, [.. values, .. keys.Select(key => (RedisValue)kindOf((string?)key ?? string.Empty))]));

    /// <summary>The kind is right, and what it says is not.</summary>
    public ForeignRedisValueException Foreign(string message)
    {
        IsDamaged = true;
        return new(message);
    }

    /// <summary>Has what is foreign replaced; where that does not succeed, it still is.</summary>
    public async Task MendAsync(Func<Task> mend)
    {
        var wasDamaged = IsDamaged;
        IsDamaged = false;
        try
        {
            await mend();
        }
        catch
        {
            IsDamaged |= wasDamaged;
            throw;
        }
    }

    /// <returns>Those of the keys under which something of another kind lies.</returns>
    public async Task<IEnumerable<string>> ForeignAsync(string[] keys) => keys.Length == 0
        ? []
        : ((string[])(await database().ScriptEvaluateAsync(
            FindForeign, [.. keys.Select(key => (RedisKey)key)], [.. keys.Select(key => (RedisValue)kindOf(key))]))!);

    /// <param name="key">Under which something foreign lies; where that has gone meanwhile, nothing is done.</param>
    /// <param name="seen">What it said, where only that is wrong.</param>
    /// <param name="contents">What belongs there: scores and members, or a string.</param>
    public async Task ReplaceAsync(string key, RedisValue seen, IReadOnlyList<RedisValue> contents)
    {
        if ((bool)await database().ScriptEvaluateAsync(Replace, [key], [kindOf(key), seen, .. contents]))
            Log.Foreign(logger, key, kindOf(key));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Under {Key} Redis held something else than the {Kind} that belongs there: it was replaced by what the records say")]
        public static partial void Foreign(ILogger logger, string key, string kind);
    }
}

internal static class RedisKeys
{
    /// <summary>All keys that fit; one that comes or goes meanwhile may be among them or not.</summary>
    public static IAsyncEnumerable<string> KeysAsync(this IConnectionMultiplexer redis, string pattern) => redis.GetServers()
        .Where(server => server is { IsConnected: true, IsReplica: false })
        .ToAsyncEnumerable()
        .SelectMany(server => server.KeysAsync(pattern: pattern, pageSize: 1_000))
        .Select(key => (string)key!);
}

/// <summary>What was asked for cannot be done at the moment: Redis holds something else where the manager keeps its own, until that is mended.</summary>
internal sealed class ForeignRedisValueException : RedisException
{
    public ForeignRedisValueException(string message) : base(message)
    {
    }

    public ForeignRedisValueException(RedisServerException inner)
        : base("Redis holds something else where the manager keeps what this needs.", inner)
    {
    }
}
