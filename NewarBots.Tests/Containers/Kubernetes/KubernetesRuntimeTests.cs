using k8s;
using k8s.Models;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Kubernetes;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Kubernetes;

/// <summary>The runtime against a real API server, whose pods and node get their status from the test.</summary>
public sealed class KubernetesRuntimeTests(KubernetesServer server) : IAsyncLifetime
{
    private readonly SessionId _id = SessionId.New(TimeProvider.System);
    private ClusterOfOne _cluster = null!;

    private KubernetesRuntime Runtime => _cluster.Runtime;

    public async ValueTask InitializeAsync() => _cluster = await ClusterOfOne.CreateAsync(server);

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_bot_is_pending_then_runs_then_has_exited_and_is_removed()
    {
        Assert.Null(await FindAsync());
        await LaunchAsync();
        Assert.Equal("The bot's pod waits for the scheduler.", (await FindAsync())!.Why);

        await _cluster.SetStatusAsync(_id, PodStatuses.Unschedulable("0/1 nodes are available: 1 Insufficient memory."));
        Assert.Equal("No node has room for the bot's pod: 0/1 nodes are available: 1 Insufficient memory.", (await FindAsync())!.Why);

        await _cluster.ScheduleAsync(_id);
        await _cluster.SetStatusAsync(_id, PodStatuses.Waiting("ContainerCreating"));
        Assert.Equal($"The container is being created on node {_cluster.NodeName}.", (await FindAsync())!.Why);

        await _cluster.SetStatusAsync(_id, PodStatuses.Running());
        Assert.Equal(new RecorderContainer(_id, UserId.Parse("-anna_"), RecorderContainerState.Running), await FindAsync());
        Assert.Equal(await FindAsync(), Assert.Single(await Runtime.ListAsync(CancellationToken.None)));

        await _cluster.SetStatusAsync(_id, PodStatuses.Exited(4, "Error"));
        Assert.Equal((RecorderContainerState.Exited, 4L), ((await FindAsync())!.State, (await FindAsync())!.Exit!.ExitCode));

        await Runtime.RemoveAsync(_id, CancellationToken.None);
        Assert.Null(await FindAsync());
        await Runtime.RemoveAsync(_id, CancellationToken.None);
    }

    [Fact]
    public async Task A_bot_that_is_launched_many_times_at_once_has_one_pod()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => LaunchAsync()));

        Assert.Single(await Runtime.ListAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_bot_that_has_exited_is_not_started_again()
    {
        await LaunchAsync();
        await _cluster.SetStatusAsync(_id, PodStatuses.Exited(0));

        await LaunchAsync();

        Assert.Equal(RecorderContainerState.Exited, (await FindAsync())!.State);
    }

    [Fact]
    public async Task The_API_server_stores_the_pod_as_it_was_requested()
    {
        await LaunchAsync();

        var pod = await _cluster.PodAsync(_id);
        Assert.Equal(("Localhost", "newarbots.json"), (pod.Spec.SecurityContext.SeccompProfile.Type, pod.Spec.SecurityContext.SeccompProfile.LocalhostProfile));
        Assert.Equal((false, false, "Never"), (pod.Spec.AutomountServiceAccountToken, pod.Spec.EnableServiceLinks, pod.Spec.RestartPolicy));
        Assert.All(pod.Spec.Tolerations, toleration => Assert.Null(toleration.TolerationSeconds));
        Assert.Equal($"recordings/temp/user_-anna_/{_id}", pod.Spec.Containers[0].VolumeMounts[0].SubPath);
        Assert.Equal(pod.Spec.Containers[0].Resources.Limits["memory"], pod.Spec.Containers[0].Resources.Requests["memory"]);
    }

    [Fact]
    public async Task A_bot_whose_node_is_lost_is_unknown_and_runs_again_when_the_node_is_back()
    {
        await RunAsync();

        await _cluster.SetNodeAsync(isReady: false);
        var lost = await FindAsync();
        Assert.Equal((RecorderContainerState.Unknown, $"The node {_cluster.NodeName} is not ready: Kubelet stopped posting node status."), (lost!.State, lost.Why));
        Assert.Equal(lost, Assert.Single(await Runtime.ListAsync(CancellationToken.None)));

        await _cluster.SetNodeAsync(isReady: true);
        Assert.Equal(RecorderContainerState.Running, (await FindAsync())!.State);
    }

    [Fact]
    public async Task A_mount_that_fails_is_told_from_the_events_of_the_pod()
    {
        await LaunchAsync();
        await _cluster.ScheduleAsync(_id);
        var pod = await _cluster.PodAsync(_id);
        await _cluster.Client.CoreV1.CreateNamespacedEventAsync(
            new Corev1Event
            {
                Metadata = new() { GenerateName = "mount-" },
                InvolvedObject = new() { Kind = "Pod", Name = pod.Name(), NamespaceProperty = pod.Namespace(), Uid = pod.Uid() },
                Reason = "FailedMount",
                Type = "Warning",
                Message = "MountVolume.SetUp failed for volume",
                LastTimestamp = PodStatuses.Noon,
            },
            _cluster.Namespace);

        var expected = $"The session folder cannot be mounted on node {_cluster.NodeName}: MountVolume.SetUp failed for volume.";
        Assert.Equal(expected, (await FindAsync())!.Why);
        Assert.Equal(expected, Assert.Single(await Runtime.ListAsync(CancellationToken.None)).Why);
    }

    [Fact]
    public async Task Exits_and_deletions_are_reported_from_the_moment_of_the_call()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await RunAsync();
        var exits = Runtime.WatchExitsAsync(deadline.Token);
        await _cluster.SetStatusAsync(_id, PodStatuses.Exited(0, at: TimeProvider.System.GetUtcNow().UtcDateTime));
        var second = SessionId.New(TimeProvider.System);
        await RunAsync(second);
        var reported = new List<SessionId>();

        await foreach (var id in exits)
        {
            reported.Add(id);
            if (reported.Count == 1)
                await _cluster.Client.CoreV1.DeleteNamespacedPodAsync(RecorderContainerName.Of(second), _cluster.Namespace, gracePeriodSeconds: 0);
            else
                break;
        }

        Assert.Equal([_id, second], reported);
    }

    [Fact]
    public async Task A_full_quota_is_a_failure_that_a_retry_may_fix()
    {
        await _cluster.Client.CoreV1.CreateNamespacedResourceQuotaAsync(
            new V1ResourceQuota { Metadata = new() { Name = "none" }, Spec = new() { Hard = new Dictionary<string, ResourceQuantity> { ["pods"] = new("0") } } },
            _cluster.Namespace);
        // Without a controller manager, nobody else counts.
        await _cluster.Client.CoreV1.PatchNamespacedResourceQuotaStatusAsync(
            new V1Patch("""{"status":{"hard":{"pods":"0"},"used":{"pods":"0"}}}""", V1Patch.PatchType.MergePatch), "none", _cluster.Namespace);

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() => LaunchAsync());

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.StartsWith($"The namespace {_cluster.Namespace} has no room for another bot: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pods_of_another_stack_are_never_touched()
    {
        var theirs = RecorderPod.From(RecorderPodTests.Spec(_id), new() { Stack = "other" }, new(), new(10001, 10001), RecorderPodTests.Storage);
        await _cluster.Client.CoreV1.CreateNamespacedPodAsync(theirs, _cluster.Namespace);

        Assert.Null(await FindAsync());
        Assert.Empty(await Runtime.ListAsync(CancellationToken.None));
        await Runtime.StopAsync(_id, TimeSpan.FromSeconds(1), CancellationToken.None);
        await Runtime.RemoveAsync(_id, CancellationToken.None);
        Assert.Equal(
            $"The name newar-bot-{_id} is taken by a pod of another stack.",
            (await Assert.ThrowsAsync<ContainerEngineException>(() => LaunchAsync())).Message);

        Assert.Null((await _cluster.PodAsync(_id)).Spec.ActiveDeadlineSeconds);
    }

    [Fact]
    public async Task A_forged_second_pod_is_ignored_and_logged()
    {
        await RunAsync();
        var forged = RecorderPod.From(RecorderPodTests.Spec(_id), new(), new(), new(10001, 10001), RecorderPodTests.Storage);
        forged.Metadata.Name = "forged";
        await _cluster.Client.CoreV1.CreateNamespacedPodAsync(forged, _cluster.Namespace);

        Assert.Equal(_id, Assert.Single(await Runtime.ListAsync(CancellationToken.None)).Id);
        await Runtime.ListAsync(CancellationToken.None);
        Assert.Single(_cluster.Log.All, line => line.Text.Contains("Ignored pod forged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bot_that_a_node_cannot_terminate_is_ended_by_a_deadline_and_its_pod_stays()
    {
        await RunAsync();

        await Runtime.StopAsync(_id, TimeSpan.FromSeconds(1), CancellationToken.None);

        Assert.Equal(1, (await _cluster.PodAsync(_id)).Spec.ActiveDeadlineSeconds);
    }

    [Fact]
    public async Task A_pending_bot_that_is_stopped_is_removed_because_it_never_started()
    {
        await LaunchAsync();

        await Runtime.StopAsync(_id, TimeSpan.FromSeconds(1), CancellationToken.None);

        Assert.Null(await FindAsync());
    }

    [Fact]
    public async Task A_bot_without_a_container_has_an_empty_log_and_a_missing_bot_is_no_error()
    {
        using var log = new MemoryStream();
        await Runtime.CopyLogAsync(_id, log, CancellationToken.None);
        await Runtime.FollowLogAsync(_id, log, CancellationToken.None);
        await Runtime.StopAsync(_id, TimeSpan.FromSeconds(1), CancellationToken.None);
        await LaunchAsync();
        await Runtime.CopyLogAsync(_id, log, CancellationToken.None);

        Assert.Equal(0, log.Length);
    }

    [Fact]
    public async Task The_health_check_names_a_missing_claim()
    {
        var check = _cluster.Get<KubernetesHealthCheck>();
        var before = await check.CheckHealthAsync(new());
        Assert.Equal(HealthStatus.Degraded, before.Status);
        Assert.Contains("persistentvolumeclaims \"newarbots-storage\" not found", before.Description, StringComparison.Ordinal);

        await _cluster.Client.CoreV1.CreateNamespacedPersistentVolumeClaimAsync(
            new V1PersistentVolumeClaim
            {
                Metadata = new() { Name = "newarbots-storage" },
                Spec = new()
                {
                    AccessModes = ["ReadWriteMany"],
                    Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new("1Gi") } },
                },
            },
            _cluster.Namespace);

        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new())).Status);
    }

    private Task<RecorderContainer?> FindAsync() => Runtime.FindAsync(_id, CancellationToken.None);

    private Task LaunchAsync(SessionId? id = null) =>
        Runtime.LaunchAsync(_cluster.Recorder(id ?? _id), CancellationToken.None);

    private async Task RunAsync(SessionId? id = null)
    {
        await LaunchAsync(id);
        await _cluster.ScheduleAsync(id ?? _id);
        await _cluster.SetStatusAsync(id ?? _id, PodStatuses.Running());
    }
}
