using StackExchange.Redis;

namespace NewarBots.Manager.Bots;

internal static class RedisFailure
{
    /// <summary>Redis did not answer, or not in time; the same may succeed later. Its client has no common base for the two.</summary>
    public static bool IsRedisAway(this Exception exception) => exception is RedisException or RedisTimeoutException;
}
