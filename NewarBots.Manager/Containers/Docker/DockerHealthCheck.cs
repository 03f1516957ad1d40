using Docker.DotNet;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Says within two seconds whether a bot could be launched, and if not, what to do about it.</summary>
internal sealed class DockerHealthCheck(DockerEngine engine, IOptions<LaunchingOptions> options) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await engine.AskAsync(Patience, LookForImageAsync, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (ContainerEngineException exception)
        {
            return HealthCheckResult.Degraded(exception.Message);
        }
    }

    private async Task LookForImageAsync(IDockerClient docker, CancellationToken cancellation)
    {
        try
        {
            await docker.Images.InspectImageAsync(options.Value.Image, cancellation);
        }
        catch (DockerImageNotFoundException exception)
        {
            throw DockerEngine.ImageMissing(options.Value.Image, exception);
        }
    }
}
