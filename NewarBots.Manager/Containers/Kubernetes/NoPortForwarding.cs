namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>A pod cannot reach the loopback of another pod, so a meeting on <c>localhost</c> is refused.</summary>
internal sealed class NoPortForwarding : IPortForwarding
{
    public Task EnsureAsync(int port, ForwardedService service, CancellationToken cancellation) => throw new ContainerEngineException(
        $"Bots in pods cannot reach port {port} of localhost. Use the address of a service instead.", ContainerEngineFailure.Refused);

    public Task RetryTakenPortsAsync(CancellationToken cancellation) => Task.CompletedTask;
}
