using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>Runs recorders as pods of one namespace. Pods of other stacks are never touched.</summary>
internal sealed class KubernetesRuntime(
    KubernetesEngine engine,
    PodLookup lookup,
    PodLogs logs,
    PodExits exits,
    StorageLayout storage,
    IOptions<LaunchingOptions> launching,
    IOptions<KubernetesOptions> options,
    TimeProvider time) : IRecorderRuntime
{
    /// <summary>A pod that is deleted gets this long before it is killed. <see cref="StopAsync"/> is the gentle way.</summary>
    private const int KillSeconds = 1;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>For a pod of the same name that is being deleted, and for a deletion that a node has to confirm.</summary>
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromSeconds(30);

    public async Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation)
    {
        var pod = RecorderPod.From(spec, launching.Value, options.Value, SessionFolders.OwnerOf(spec.SessionFolder), storage.Root);
        var name = pod.Name();
        var deadline = time.GetUtcNow() + DeletionTimeout;
        while (!await BotTracing.InPartAsync("container create", () => TryCreateAsync(pod, cancellation)))
        {
            if (await lookup.FindPodAsync(name, cancellation) is { Metadata.DeletionTimestamp: null } earlier)
            {
                if (lookup.IsOwn(earlier))
                    return;
                throw new ContainerEngineException($"The name {name} is taken by a pod of another stack.", ContainerEngineFailure.Refused);
            }
            if (time.GetUtcNow() > deadline)
                throw new ContainerEngineException($"The name {name} stays taken by a pod that is being deleted.", ContainerEngineFailure.Unreachable);
            await Task.Delay(RetryDelay, time, cancellation);
        }
    }

    public Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation) => lookup.FindAsync(id, cancellation);

    public Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation) => lookup.ListAsync(cancellation);

    public async Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation)
    {
        if (await lookup.FindOwnPodAsync(id, cancellation) is not { } pod || PodReading.HasExited(pod))
            return;
        if (pod.Status?.Phase is "Pending")
        {
            // Its recorder has not started, so there is neither a log nor an exit code to keep.
            await DeleteAsync(pod, KillSeconds, cancellation);
            return;
        }

        var deadline = time.GetUtcNow() + grace;
        if (await TryTerminateAsync(pod, cancellation))
        {
            while (time.GetUtcNow() < deadline)
            {
                await Task.Delay(RetryDelay, time, cancellation);
                if (await lookup.FindOwnPodAsync(id, cancellation) is not { } now || PodReading.HasExited(now))
                    return;
            }
        }
        await EndByDeadlineAsync(pod, cancellation);
    }

    /// <returns>Always <see langword="null"/>: the metrics API knows the current load, but not the CPU time since the start.</returns>
    public Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation) => Task.FromResult<RecorderUsage?>(null);

    public Task CopyLogAsync(SessionId id, Stream destination, CancellationToken cancellation) => logs.CopyAsync(id, destination, cancellation);

    public Task FollowLogAsync(SessionId id, Stream destination, CancellationToken cancellation) => logs.FollowAsync(id, destination, cancellation);

    public async Task RemoveAsync(SessionId id, CancellationToken cancellation)
    {
        if (await lookup.FindOwnPodAsync(id, cancellation) is not { } pod)
            return;

        var deadline = time.GetUtcNow() + DeletionTimeout;
        for (var current = pod; current?.Uid() == pod.Uid(); current = await lookup.FindOwnPodAsync(id, cancellation))
        {
            if (current.DeletionTimestamp() is null || PodReading.HasExited(current))
                // A node need not confirm the end of a container that has exited.
                await DeleteAsync(current, PodReading.HasExited(current) ? 0 : KillSeconds, cancellation);
            else if (time.GetUtcNow() > deadline)
                throw new ContainerEngineException($"The pod {pod.Name()} is deleted, but its node {pod.Spec.NodeName} has not confirmed that.", ContainerEngineFailure.Refused);
            else
                await Task.Delay(RetryDelay, time, cancellation);
        }
    }

    public IAsyncEnumerable<SessionId> WatchExitsAsync(CancellationToken cancellation) => exits.WatchAsync(cancellation);

    /// <returns><see langword="false"/> if the name is taken.</returns>
    private Task<bool> TryCreateAsync(V1Pod pod, CancellationToken cancellation) => engine.CallAsync(
        KubernetesEngine.LongTimeout,
        async (client, token) =>
        {
            try
            {
                await client.CoreV1.CreateNamespacedPodAsync(pod, engine.Namespace, cancellationToken: token);
                return true;
            }
            // The API server also answers 409 for a quota that two pods claim at the same moment.
            catch (HttpOperationException exception) when (KubernetesEngine.IsConflict(exception))
            {
                return false;
            }
        },
        cancellation);

    /// <summary>Sends SIGTERM to the recorder, which is process 1 of its container. Deleting the pod instead would lose its log and exit code.</summary>
    /// <returns><see langword="false"/> if the node could not do so.</returns>
    private async Task<bool> TryTerminateAsync(V1Pod pod, CancellationToken cancellation)
    {
        try
        {
            await engine.CallAsync(
                KubernetesEngine.ShortTimeout,
                async (client, token) =>
                {
                    // The connection ends with the recorder, so the command's own result says nothing.
                    using var command = await client.WebSocketNamespacedPodExecAsync(
                        pod.Name(), pod.Namespace(), ["sh", "-c", "kill -TERM 1"], RecorderPod.Container,
                        stderr: true, stdin: false, stdout: true, tty: false, cancellationToken: token);
                    var buffer = new byte[1024];
                    while (command.State is System.Net.WebSockets.WebSocketState.Open)
                        await command.ReceiveAsync(buffer, token);
                },
                cancellation);
            return true;
        }
        catch (ContainerEngineException exception) when (exception.InnerException is System.Net.WebSockets.WebSocketException { WebSocketErrorCode: System.Net.WebSockets.WebSocketError.ConnectionClosedPrematurely })
        {
            return true;
        }
        catch (ContainerEngineException)
        {
            return false;
        }
    }

    /// <summary>
    /// Lets the node kill the container and keep the pod, with its log: a deadline that has passed is the one way to do so, and may be added to a
    /// pod that runs. SIGKILL from inside has no effect on process 1.
    /// </summary>
    private Task EndByDeadlineAsync(V1Pod pod, CancellationToken cancellation) => engine.CallAsync(
        KubernetesEngine.ShortTimeout,
        async (client, token) =>
        {
            try
            {
                await client.CoreV1.PatchNamespacedPodAsync(
                    new V1Patch("""{"spec":{"activeDeadlineSeconds":1}}""", V1Patch.PatchType.MergePatch), pod.Name(), pod.Namespace(), cancellationToken: token);
            }
            catch (HttpOperationException exception) when (KubernetesEngine.IsNotFound(exception))
            {
                // It was removed in the meantime.
            }
        },
        cancellation);

    private Task DeleteAsync(V1Pod pod, int grace, CancellationToken cancellation) => engine.CallAsync(
        KubernetesEngine.LongTimeout,
        async (client, token) =>
        {
            try
            {
                await client.CoreV1.DeleteNamespacedPodAsync(
                    pod.Name(), pod.Namespace(), new() { Preconditions = new() { Uid = pod.Uid() }, GracePeriodSeconds = grace }, cancellationToken: token);
            }
            catch (HttpOperationException exception) when (KubernetesEngine.IsNotFound(exception) || KubernetesEngine.IsConflict(exception))
            {
                // Another caller removed it, or it is another pod by now.
            }
        },
        cancellation);
}
