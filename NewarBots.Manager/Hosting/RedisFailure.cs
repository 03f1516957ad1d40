using StackExchange.Redis;

namespace NewarBots.Manager.Hosting;

internal static class RedisFailure
{
    private const string ReadOnlyReplica = "Redis is a read-only replica.";

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

    /// <returns>Why Redis, although reachable, does not accept changes, as a sentence for a person; <see langword="null"/> for any other failure.</returns>
    public static string? DescribeRejectedWrite(this Exception exception) => exception switch
    {
        RedisServerException { Kind: RedisErrorKind.OutOfMemory } => "Redis has reached its maxmemory.",
        RedisServerException { Kind: RedisErrorKind.NoReplicas } => "Redis has fewer replicas than its min-replicas-to-write.",
        RedisServerException { Kind: RedisErrorKind.Misconfigured } => "Redis cannot save its data to disk.",
        RedisServerException { Kind: RedisErrorKind.ReadOnly } => ReadOnlyReplica,
        // The client library knows the server's role, and does not send the command.
        RedisCommandException or RedisConnectionException when exception.Message.Contains("replica", StringComparison.Ordinal) => ReadOnlyReplica,
        _ => null,
    };

}
