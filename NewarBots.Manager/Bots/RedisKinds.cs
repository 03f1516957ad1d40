using StackExchange.Redis;

namespace NewarBots.Manager.Bots;

/// <summary>
/// What the kinds of values under the manager's keys are checked by. A script that met one of another kind half-way would have done
/// half of its work; so each looks at all of its keys before it changes the first.
/// </summary>
internal static class RedisKinds
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
    public const string Replace = """
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

    /// <summary>All keys that fit; one that comes or goes meanwhile may be among them or not.</summary>
    public static IAsyncEnumerable<string> KeysAsync(this IConnectionMultiplexer redis, string pattern) => redis.GetServers()
        .Where(server => server is { IsConnected: true, IsReplica: false })
        .ToAsyncEnumerable()
        .SelectMany(server => server.KeysAsync(pattern: pattern, pageSize: 1_000))
        .Select(key => (string)key!);

    /// <summary>Evaluates a script that begins with <see cref="Guard"/>.</summary>
    public static Task<RedisResult> EvaluateGuardedAsync(
        this IDatabase database, string script, RedisKey[] keys, RedisValue[] values, Func<string, string> kindOf) =>
        database.ScriptEvaluateAsync(script, keys, [.. values, .. keys.Select(key => (RedisValue)kindOf((string?)key ?? string.Empty))]);

    /// <returns>Those under which something of another kind lies.</returns>
    public static async Task<IEnumerable<string>> ForeignAsync(IDatabase database, string[] keys, Func<string, string> kindOf) =>
        keys.Length == 0
            ? []
            : ((string[])(await database.ScriptEvaluateAsync(
                FindForeign, [.. keys.Select(key => (RedisKey)key)], [.. keys.Select(key => (RedisValue)kindOf(key))]))!);
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
