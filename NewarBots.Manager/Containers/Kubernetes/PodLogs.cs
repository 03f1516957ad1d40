using System.Net;
using k8s;
using k8s.Autorest;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>Reads what the recorders print, which their nodes keep until the pod is deleted.</summary>
internal sealed class PodLogs(KubernetesEngine engine, PodLookup lookup, TimeProvider time)
{
    /// <summary>Longer logs are cut.</summary>
    private const int MaxBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    public Task CopyAsync(SessionId id, Stream destination, CancellationToken cancellation) =>
        CopyAsync(id, destination, follow: false, KubernetesEngine.LongTimeout, cancellation);

    public async Task FollowAsync(SessionId id, Stream destination, CancellationToken cancellation)
    {
        // A pod that waits for a node has no log to follow yet.
        while (await lookup.FindAsync(id, cancellation) is { State: RecorderContainerState.Pending })
            await Task.Delay(PollInterval, time, cancellation);
        await CopyAsync(id, destination, follow: true, Timeout.InfiniteTimeSpan, cancellation);
    }

    private async Task CopyAsync(SessionId id, Stream destination, bool follow, TimeSpan timeout, CancellationToken cancellation)
    {
        if (await lookup.FindOwnPodAsync(id, cancellation) is not { Spec.NodeName.Length: > 0 } pod)
            return;
        await engine.CallAsync(
            timeout,
            async (client, token) =>
            {
                try
                {
                    await using var log = await client.CoreV1.ReadNamespacedPodLogAsync(
                        pod.Metadata.Name, pod.Metadata.NamespaceProperty, RecorderPod.Container, follow: follow, cancellationToken: token);
                    await CopyAsync(log, destination, token);
                }
                catch (HttpOperationException exception)
                    when (KubernetesEngine.IsNotFound(exception) || exception.Response?.StatusCode is HttpStatusCode.BadRequest)
                {
                    // It was deleted in the meantime, or its container was never created.
                }
            },
            cancellation);
    }

    private static async Task CopyAsync(Stream log, Stream destination, CancellationToken cancellation)
    {
        var buffer = new byte[32 * 1024];
        for (var left = MaxBytes; left > 0;)
        {
            var read = await log.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, left)), cancellation);
            if (read == 0)
                return;
            await destination.WriteAsync(buffer.AsMemory(0, read), cancellation);
            left -= read;
        }
        await destination.WriteAsync("\n(The log was longer than 16 MB and is cut here.)\n"u8.ToArray(), cancellation);
    }
}
