using StackExchange.Redis;

namespace NewarBots.Manager.Hosting;

internal static class RedisFailure
{
    /// <summary>
    /// Whether Redis is unreachable, timed out, or reported a temporary condition, so that a retry may succeed. A permanent refusal, for
    /// example by an access rule, does not count. The client library has no common base class for these errors.
    /// </summary>
    public static bool IsRedisUnavailable(this Exception exception) => exception switch
    {
        RedisServerException refusal => refusal.Kind
            is RedisErrorKind.Loading or RedisErrorKind.ReadOnly or RedisErrorKind.MasterDown or RedisErrorKind.ClusterDown
            or RedisErrorKind.TryAgain or RedisErrorKind.NoReplicas or RedisErrorKind.Misconfigured or RedisErrorKind.OutOfMemory
            or RedisErrorKind.Busy or RedisErrorKind.MaxClients,
        _ => exception is RedisException or RedisTimeoutException,
    };
}
