using StackExchange.Redis;

namespace NewarBots.Manager.Hosting;

internal static class RedisFailure
{
    /// <summary>
    /// Redis did not answer, or not in time, or says that it cannot at the moment: the same may succeed later. What it refuses for good,
    /// by its rules or by what lies there, is something else. Its client has no common base for the two.
    /// </summary>
    public static bool IsRedisAway(this Exception exception) => exception switch
    {
        RedisServerException refusal => refusal.Kind
            is RedisErrorKind.Loading or RedisErrorKind.ReadOnly or RedisErrorKind.MasterDown or RedisErrorKind.ClusterDown
            or RedisErrorKind.TryAgain or RedisErrorKind.NoReplicas or RedisErrorKind.Misconfigured or RedisErrorKind.OutOfMemory
            or RedisErrorKind.Busy or RedisErrorKind.MaxClients,
        _ => exception is RedisException or RedisTimeoutException,
    };
}
