using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.Manager.Hosting;

/// <summary>Says what is not done any more in the background.</summary>
internal sealed class BackgroundLoopsHealthCheck(BackgroundLoops loops) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var stuck = loops.Stuck.Select(loop => $"'{loop.Name}' has not succeeded for {loop.Since:hh\\:mm\\:ss}: {loop.Failure ?? "it hangs"}").ToList();
        return Task.FromResult(stuck is [] ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join("; ", stuck)));
    }
}
