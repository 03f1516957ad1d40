using System.Collections.Concurrent;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>Finds the recorders' pods with their nodes and events. Pods of other stacks are ignored.</summary>
internal sealed partial class PodLookup(
    KubernetesEngine engine, IOptions<LaunchingOptions> launching, IOptions<KubernetesOptions> options, ILogger<PodLookup> logger)
{
    /// <summary>Uids of pods that were logged already.</summary>
    private readonly ConcurrentDictionary<string, bool> _unidentified = new();

    public string Stack => RecorderPod.StackOf(launching.Value, options.Value);

    public string Selector => $"{RecorderLabels.Stack}={Stack}";

    public async Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation)
    {
        if (await FindOwnPodAsync(id, cancellation) is not { } pod)
            return null;
        var node = pod.Spec.NodeName is { Length: > 0 } name && !PodReading.HasExited(pod) ? await FindNodeAsync(name, cancellation) : null;
        return Read(pod, node, PodReading.NeedsEvents(pod) ? await EventsAsync(pod.Name(), cancellation) : []);
    }

    public async Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation)
    {
        var pods = (await ListPodsAsync(cancellation)).Items;
        if (pods.Count == 0)
            return [];
        var nodes = (await engine.CallAsync((client, token) => client.CoreV1.ListNodeAsync(cancellationToken: token), cancellation))
            .Items.ToDictionary(node => node.Name());
        var events = pods.Any(PodReading.NeedsEvents) ? (await EventsAsync(pod: null, cancellation)).ToLookup(one => one.InvolvedObject?.Name) : null;
        return
        [
            .. from pod in pods
               let read = Read(pod, nodes.GetValueOrDefault(pod.Spec.NodeName ?? string.Empty), events?[pod.Name()] ?? [])
               where read is not null
               select read,
        ];
    }

    public Task<V1PodList> ListPodsAsync(CancellationToken cancellation) => engine.CallAsync(
        (client, token) => client.CoreV1.ListNamespacedPodAsync(engine.Namespace, labelSelector: Selector, cancellationToken: token), cancellation);

    /// <returns><see langword="null"/> if the bot has no pod, or it belongs to another stack.</returns>
    public async Task<V1Pod?> FindOwnPodAsync(SessionId id, CancellationToken cancellation) =>
        await FindPodAsync(RecorderContainerName.Of(id), cancellation) is { } pod && IsOwn(pod) ? pod : null;

    public Task<V1Pod?> FindPodAsync(string name, CancellationToken cancellation) =>
        OrNullAsync((client, token) => client.CoreV1.ReadNamespacedPodAsync(name, engine.Namespace, cancellationToken: token), cancellation);

    public bool IsOwn(V1Pod pod) => pod.GetLabel(RecorderLabels.Stack) == Stack;

    /// <returns><see langword="null"/> if the pod does not identify a bot. Logged once per pod.</returns>
    public SessionId? Identify(V1Pod pod)
    {
        if (PodReading.Identify(pod) is var (id, _))
            return id;
        if (_unidentified.TryAdd(pod.Uid(), value: true))
            Log.Unidentified(logger, pod.Name(), pod.GetLabel(RecorderLabels.Session));
        return null;
    }

    private RecorderContainer? Read(V1Pod pod, V1Node? node, IEnumerable<Corev1Event> events) =>
        Identify(pod) is null ? null : PodReading.Read(pod, node, events);

    private Task<V1Node?> FindNodeAsync(string name, CancellationToken cancellation) =>
        OrNullAsync((client, token) => client.CoreV1.ReadNodeAsync(name, cancellationToken: token), cancellation);

    private async Task<IList<Corev1Event>> EventsAsync(string? pod, CancellationToken cancellation)
    {
        var selector = pod is null ? "involvedObject.kind=Pod" : $"involvedObject.kind=Pod,involvedObject.name={pod}";
        return (await engine.CallAsync(
            (client, token) => client.CoreV1.ListNamespacedEventAsync(engine.Namespace, fieldSelector: selector, cancellationToken: token),
            cancellation)).Items;
    }

    private Task<T?> OrNullAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> read, CancellationToken cancellation) where T : class =>
        engine.CallAsync<T?>(
            async (client, token) =>
            {
                try
                {
                    return await read(client, token);
                }
                catch (HttpOperationException exception) when (KubernetesEngine.IsNotFound(exception))
                {
                    return null;
                }
            },
            cancellation);

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Ignored pod {Pod}: it has this stack's label, but its name, its session label '{Session}' and its user annotation are not those of a bot.")]
        public static partial void Unidentified(ILogger logger, string pod, string? session);
    }
}
