using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Hosting;

/// <summary>Says which recordings FFmpeg cannot make, time and again.</summary>
internal sealed class RetryBackoffHealthCheck(RetryBackoff postponements) : IHealthCheck
{
    /// <summary>So often it may be the machine's bad hour.</summary>
    private const int Tolerated = 2;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var stuck = postponements.All.Where(postponed => postponed.Attempts > Tolerated).OrderBy(postponed => postponed.Id).ToList();
        return Task.FromResult(stuck is []
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(
                $"{stuck.Count} recordings wait for an FFmpeg that comes to its end. {stuck[0].Id}, tried {stuck[0].Attempts} times: {stuck[0].Why}"));
    }
}
