using System.Net;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace NewarBots.ServiceDefaults;

/// <summary>Says within two seconds whether Redis answers, and where it was looked for.</summary>
internal sealed class RedisHealthCheck(IConnectionMultiplexer redis, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // A ping on a broken connection would only wait in the client's backlog.
        if (!redis.IsConnected)
            return Unhealthy(context, $"Redis cannot be reached at {Addresses}.");
        try
        {
            await redis.GetDatabase().PingAsync().WaitAsync(Patience, time, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return Unhealthy(context, $"Redis at {Addresses} does not answer.", exception);
        }
    }

    private string Addresses => string.Join(", ", redis.GetEndPoints(configuredOnly: true)
        .Select(endpoint => endpoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endpoint.ToString()));

    private static HealthCheckResult Unhealthy(HealthCheckContext context, string description, Exception? exception = null) =>
        new(context.Registration.FailureStatus, description, exception);
}
