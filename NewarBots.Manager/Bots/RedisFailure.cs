using StackExchange.Redis;

namespace NewarBots.Manager.Bots;

internal static class RedisFailure
{
    /// <summary>Redis did not answer, or not in time; the same may succeed later. Its client has no common base for the two.</summary>
    public static bool IsRedisAway(this Exception exception) => exception is RedisException or RedisTimeoutException;

    /// <summary>Somebody has put something else under a key of ours.</summary>
    public static bool IsWrongType(this RedisServerException exception) => exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal);
}
