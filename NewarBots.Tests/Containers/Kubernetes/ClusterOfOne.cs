using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Kubernetes;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Kubernetes;

/// <summary>A namespace of the real API server with one node. The test plays scheduler and kubelet.</summary>
internal sealed class ClusterOfOne : IAsyncDisposable
{
    private readonly string _storage = Directory.CreateTempSubdirectory("newarbots-cluster-").FullName;
    private readonly ServiceProvider _services;

    private ClusterOfOne(IKubernetes client, string ns, string kubeConfig)
    {
        Client = client;
        Namespace = ns;
        NodeName = $"node-of-{ns}";
        _services = new ServiceCollection()
            .AddSingleton<ILogger<PodLookup>>(Log)
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new StorageLayout(_storage))
            .AddSingleton(Options.Create(new LaunchingOptions()))
            .AddSingleton(Options.Create(new KubernetesOptions { KubeConfig = kubeConfig, Namespace = ns }))
            .AddSingleton<KubernetesEngine>().AddSingleton<PodLookup>().AddSingleton<PodLogs>().AddSingleton<PodExits>().AddSingleton<KubernetesRuntime>()
            .AddSingleton<KubernetesHealthCheck>().AddSingleton<SessionFolders>()
            .BuildServiceProvider();
    }

    public IKubernetes Client { get; }

    public string Namespace { get; }

    public string NodeName { get; }

    public LogLines<PodLookup> Log { get; } = new();

    public KubernetesRuntime Runtime => Get<KubernetesRuntime>();

    public static async Task<ClusterOfOne> CreateAsync(KubernetesServer server)
    {
        var ns = await server.CreateNamespaceAsync();
        var cluster = new ClusterOfOne(await server.RequireAsync(), ns, server.KubeConfig);
        await cluster.Client.CoreV1.CreateNodeAsync(new V1Node { Metadata = new() { Name = cluster.NodeName } });
        await cluster.SetNodeAsync(isReady: true);
        return cluster;
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    /// <summary>A recorder with its session folder.</summary>
    public RecorderContainerSpec Recorder(SessionId id)
    {
        var user = UserId.Parse("-anna_");
        return new(id, user, new Dictionary<string, string> { ["A"] = "1" }, Get<SessionFolders>().Create(user, id));
    }

    public Task<V1Pod> PodAsync(SessionId id) => Client.CoreV1.ReadNamespacedPodAsync(RecorderContainerName.Of(id), Namespace);

    public async Task SetNodeAsync(bool isReady) => await Client.CoreV1.PatchNodeStatusAsync(
        new V1Patch(new V1Node { Status = PodStatuses.Node(isReady) }, V1Patch.PatchType.StrategicMergePatch), NodeName);

    /// <summary>Binds the pod to the node, as a scheduler does.</summary>
    public async Task ScheduleAsync(SessionId id)
    {
        var name = RecorderContainerName.Of(id);
        await Client.CoreV1.CreateNamespacedPodBindingAsync(
            new V1Binding { Metadata = new() { Name = name }, Target = new() { Kind = "Node", Name = NodeName, ApiVersion = "v1" } }, name, Namespace);
    }

    /// <summary>Writes the pod's status, as a kubelet does.</summary>
    public async Task SetStatusAsync(SessionId id, V1PodStatus status)
    {
        var pod = await PodAsync(id);
        pod.Status = status;
        await Client.CoreV1.ReplaceNamespacedPodStatusAsync(pod, pod.Name(), Namespace);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Client.CoreV1.DeleteNodeAsync(NodeName);
        Directory.Delete(_storage, recursive: true);
    }
}
