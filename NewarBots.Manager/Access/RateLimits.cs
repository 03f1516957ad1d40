using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Access;

/// <summary>
/// So that one who asks without pause leaves something for the others: one bucket for each key, out of which its sessions are served
/// too, and so many requests at once, streams among them. Where there are no keys, there is no limit.
/// </summary>
internal sealed class RateLimits(IOptions<AccessOptions> access) : IDisposable
{
    // Their clocks tick ten times a second from when they are made: not where nobody has a key.
    private readonly Lazy<PartitionedRateLimiter<string>> _limiter = new(() => PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetTokenBucketLimiter(
            key, _ => Bucket(access.Value.RequestsPerMinute, access.Value.RequestBurst))),
        PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetConcurrencyLimiter(
            key, _ => new() { PermitLimit = access.Value.RequestsAtOnce, QueueLimit = 0 }))));

    public async Task LimitAsync(HttpContext context, RequestDelegate next)
    {
        if (Caller.Of(context)?.Key is not { } key || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await next(context);
            return;
        }

        using var lease = _limiter.Value.AttemptAcquire(key.Id);
        if (lease.IsAcquired)
        {
            await next(context);
            return;
        }

        context.Response.Headers.RetryAfter = RetryAfter(lease);
        await AccessProblems.TooManyRequests().ExecuteAsync(context);
    }

    public void Dispose()
    {
        if (_limiter.IsValueCreated)
            _limiter.Value.Dispose();
    }

    /// <param name="perMinute">How fast it fills again.</param>
    /// <param name="burst">What it holds.</param>
    public static TokenBucketRateLimiterOptions Bucket(int perMinute, int burst)
    {
        // Not less often than each second or so, in whole tokens.
        var tokens = Math.Max(1, perMinute / 60);
        return new()
        {
            TokenLimit = burst,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) * tokens / perMinute,
            QueueLimit = 0,
        };
    }

    /// <returns>Whole seconds, one at least.</returns>
    public static string RetryAfter(RateLimitLease lease)
    {
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var told) ? told : TimeSpan.Zero;
        return Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }
}
