using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Access;

/// <summary>So that one who asks without pause leaves something for the others.</summary>
internal static class RateLimits
{
    /// <summary>One bucket for each key, out of which its sessions are served too. Where there are no keys, there is no limit.</summary>
    public static IServiceCollection AddRateLimits(this IServiceCollection services) => services.AddRateLimiter(limiter =>
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
        {
            if (Caller.Of(context)?.Key is not { } key || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
                return RateLimitPartition.GetNoLimiter(string.Empty);
            var access = context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value;
            return RateLimitPartition.GetTokenBucketLimiter(key.Id, _ => Bucket(access.RequestsPerMinute, access.RequestBurst));
        });
        limiter.OnRejected = async (rejected, _) =>
        {
            rejected.HttpContext.Response.Headers.RetryAfter = RetryAfter(rejected.Lease);
            await AccessProblems.TooManyRequests().ExecuteAsync(rejected.HttpContext);
        };
    });

    /// <param name="perMinute">How fast it fills again.</param>
    /// <param name="burst">What it holds.</param>
    public static TokenBucketRateLimiterOptions Bucket(int perMinute, int burst)
    {
        var everySecond = perMinute / 60;
        return new()
        {
            TokenLimit = burst,
            TokensPerPeriod = Math.Max(1, everySecond),
            ReplenishmentPeriod = everySecond > 0 ? TimeSpan.FromSeconds(1) : TimeSpan.FromMinutes(1) / perMinute,
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
