using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace NewarBots.ServiceDefaults;

/// <summary>Connects to Redis with Aspire's integration.</summary>
public static class RedisExtensions
{
    /// <summary>
    /// Registers <see cref="IConnectionMultiplexer"/> with the <see cref="RedisSettings"/> of that name, and a health check unless they
    /// disable it. The connection is made on first use and reconnects automatically. If Redis is unreachable, the first use takes up to the
    /// connect timeout (5 s).
    /// </summary>
    /// <exception cref="InvalidSettingException">The address is missing or invalid.</exception>
    /// <exception cref="InvalidOperationException">Another value is invalid.</exception>
    public static TBuilder AddRedis<TBuilder>(this TBuilder builder, string connectionName) where TBuilder : IHostApplicationBuilder
    {
        // Reported here, before anything starts. Aspire's integration would throw on first use.
        RedisSettings.ReadOptions(builder.Configuration, connectionName);
        builder.AddRedisClient(connectionName, settings =>
        {
            settings.DisableHealthChecks = true;
            // Each poll of a background loop would be its own trace and bury those of the bots.
            settings.DisableTracing = true;
        });
        builder.Logging.AddFilter("StackExchange.Redis", LogLevel.None);
        builder.Services.TryAddSingleton(TimeProvider.System);
        if (!RedisSettings.Read(builder.Configuration, connectionName).DisableHealthChecks)
            builder.Services.AddHealthChecks().AddCheck<RedisHealthCheck>(connectionName);
        return builder;
    }
}

public static class RedisProbe
{
    private const string Key = "newarbots:health";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Makes a small write, with a timeout of two seconds. A Redis that answers may still reject writes: at its maxmemory, as a read-only replica, or
    /// without enough replicas.
    /// </summary>
    /// <exception cref="RedisException">Redis is unreachable or rejects the write.</exception>
    /// <exception cref="TimeoutException">No response.</exception>
    public static Task ProbeAsync(this IConnectionMultiplexer redis, TimeProvider time, CancellationToken cancellation) =>
        redis.GetDatabase().StringSetAsync(Key, "written", expiry: TimeSpan.FromMinutes(1)).WaitAsync(Timeout, time, cancellation);
}

/// <summary>Makes a small write in Redis. Failures name its address and the reason.</summary>
internal sealed class RedisHealthCheck(IConnectionMultiplexer redis, TimeProvider time) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // A ping on a broken connection would only wait in the client's backlog.
        if (!redis.IsConnected)
            return Unhealthy(context, $"Redis is unreachable at {Addresses}.");
        try
        {
            await redis.ProbeAsync(time, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is RedisServerException or RedisCommandException)
        {
            return Unhealthy(context, $"Redis at {Addresses} rejects writes: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return Unhealthy(context, $"Redis at {Addresses} does not respond.", exception);
        }
    }

    private string Addresses => string.Join(", ", redis.GetEndPoints(configuredOnly: true)
        .Select(endpoint => endpoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endpoint.ToString()));

    private static HealthCheckResult Unhealthy(HealthCheckContext context, string description, Exception? exception = null) =>
        new(context.Registration.FailureStatus, description, exception);
}
