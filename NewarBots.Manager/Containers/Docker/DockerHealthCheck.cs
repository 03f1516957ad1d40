using Docker.DotNet;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Reports within two seconds whether bots can be launched, and otherwise what to do about it.</summary>
internal sealed class DockerHealthCheck(DockerEngine engine, IOptions<LaunchingOptions> options) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await engine.CallAsync(Timeout, RequireImageAsync, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (ContainerEngineException exception)
        {
            return HealthCheckResult.Degraded(exception.Message);
        }
    }

    private async Task RequireImageAsync(IDockerClient docker, CancellationToken cancellation)
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
