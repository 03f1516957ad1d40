using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.Manager.Recordings;

/// <summary>Says whether FFmpeg can be run. Without it everything goes on but finalizing, so the worst it says is degraded.</summary>
internal sealed class FFmpegHealthCheck(FFmpeg ffmpeg) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return HealthCheckResult.Healthy(await ffmpeg.ReadVersionAsync(Patience, cancellationToken));
        }
        catch (Exception exception) when (exception is FFmpegMissingException or FinalizationException or TimeoutException)
        {
            return HealthCheckResult.Degraded(exception.Message, exception);
        }
    }
}
