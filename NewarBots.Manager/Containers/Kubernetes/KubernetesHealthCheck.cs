using k8s;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>Reports within two seconds whether bots can be launched, and otherwise what to do about it.</summary>
internal sealed class KubernetesHealthCheck(KubernetesEngine engine, PodLookup lookup, IOptions<KubernetesOptions> options) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // A dry run of nothing but the rights and the claim: the scheduler alone knows whether a node has room.
            await engine.CallAsync(
                Timeout,
                async (client, token) =>
                {
                    await client.CoreV1.ListNamespacedPodAsync(engine.Namespace, labelSelector: lookup.Selector, limit: 1, cancellationToken: token);
                    await client.CoreV1.ListNodeAsync(limit: 1, cancellationToken: token);
                    await client.CoreV1.ReadNamespacedPersistentVolumeClaimAsync(options.Value.Claim, engine.Namespace, cancellationToken: token);
                },
                cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (ContainerEngineException exception)
        {
            return HealthCheckResult.Degraded(exception.Message);
        }
    }
}
