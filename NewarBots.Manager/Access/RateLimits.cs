using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Access;

/// <summary>Limits requests per key, so that one caller cannot starve the others.</summary>
internal static class RateLimits
{
    /// <summary>A token bucket and a concurrency limit for each key, shared with its sessions. Without keys, no limit applies.</summary>
    public static IServiceCollection AddRateLimits(this IServiceCollection services) => services.AddRateLimiter(limiter =>
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            ForEachKey((id, access) => RateLimitPartition.GetTokenBucketLimiter(id, _ => Bucket(access.RequestsPerMinute, access.RequestBurst))),
            ForEachKey((id, access) => RateLimitPartition.GetConcurrencyLimiter(
                id, _ => new() { PermitLimit = access.RequestsAtOnce, QueueLimit = 0 })));
        limiter.OnRejected = async (rejected, _) =>
        {
            rejected.HttpContext.Response.Headers.RetryAfter = RetryAfter(rejected.Lease);
            await AccessProblems.TooManyRequests().ExecuteAsync(rejected.HttpContext);
        };
    });

    private static PartitionedRateLimiter<HttpContext> ForEachKey(Func<string, AccessOptions, RateLimitPartition<string>> partition) =>
        PartitionedRateLimiter.Create<HttpContext, string>(context =>
            Caller.Of(context)?.Key is not { } key || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null
                ? RateLimitPartition.GetNoLimiter(string.Empty)
                : partition(key.Id, context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value));

    /// <param name="perMinute">The refill rate.</param>
    /// <param name="burst">The capacity.</param>
    public static TokenBucketRateLimiterOptions Bucket(int perMinute, int burst)
    {
        // Refill about once a second, in whole tokens.
        var tokens = Math.Max(1, perMinute / 60);
        return new()
        {
            TokenLimit = burst,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) * tokens / perMinute,
            QueueLimit = 0,
        };
    }

    /// <returns>Whole seconds, at least one.</returns>
    public static string RetryAfter(RateLimitLease lease)
    {
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? retryAfter : TimeSpan.Zero;
        return Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }
}
