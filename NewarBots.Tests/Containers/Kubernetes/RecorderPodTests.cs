using k8s.Models;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Kubernetes;

namespace NewarBots.Tests.Containers.Kubernetes;

public sealed class RecorderPodTests
{
    private static readonly V1Pod Pod = From(new(), new());

    private static V1Container Container => Assert.Single(Pod.Spec.Containers);

    [Fact]
    public void The_pod_has_the_name_and_labels_of_its_session()
    {
        Assert.Equal("newar-bot-0193a0", Pod.Name());
        Assert.Equal(("0193a0", "newarbots-storage"), (Pod.GetLabel("newarbots.session"), Pod.GetLabel("newarbots.stack")));
        Assert.Equal("-anna_", Pod.GetAnnotation("newarbots.user"));
        Assert.Equal("false", Pod.GetAnnotation("cluster-autoscaler.kubernetes.io/safe-to-evict"));
    }

    [Fact]
    public void Nothing_replaces_the_pod_and_a_lost_node_does_not_end_it()
    {
        Assert.Equal("Never", Pod.Spec.RestartPolicy);
        Assert.Equal(15, Pod.Spec.TerminationGracePeriodSeconds);
        Assert.Equal(
            ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"],
            Pod.Spec.Tolerations.Where(toleration => toleration is { OperatorProperty: "Exists", Effect: "NoExecute", TolerationSeconds: null }).Select(toleration => toleration.Key));
    }

    [Fact]
    public void The_pod_has_no_privileges()
    {
        Assert.False(Pod.Spec.AutomountServiceAccountToken);
        Assert.False(Pod.Spec.EnableServiceLinks);
        Assert.Null(Pod.Spec.HostNetwork);
        Assert.Equal((true, 10001L, 10001L), (Pod.Spec.SecurityContext.RunAsNonRoot, Pod.Spec.SecurityContext.RunAsUser, Pod.Spec.SecurityContext.RunAsGroup));
        Assert.Equal(("Localhost", "newarbots.json"), (Pod.Spec.SecurityContext.SeccompProfile.Type, Pod.Spec.SecurityContext.SeccompProfile.LocalhostProfile));
        Assert.Equal((true, false, false), (Container.SecurityContext.ReadOnlyRootFilesystem, Container.SecurityContext.AllowPrivilegeEscalation, Container.SecurityContext.Privileged));
        Assert.Equal(["ALL"], Container.SecurityContext.Capabilities.Drop);
    }

    [Fact]
    public void The_pod_mounts_only_its_own_session_folder()
    {
        Assert.Equal(
            ["/app/storage/session recordings/temp/user_-anna_/0193a0", "/dev/shm ", "/tmp "],
            Container.VolumeMounts.Select(mount => $"{mount.MountPath} {mount.SubPath}"));
        Assert.Equal("newarbots-storage", Pod.Spec.Volumes[0].PersistentVolumeClaim.ClaimName);
        Assert.All(Pod.Spec.Volumes.Skip(1), volume => Assert.Equal("Memory", volume.EmptyDir.Medium));
        Assert.Equal("team/newarbots/recordings/temp/user_-anna_/0193a0", From(new(), new() { ClaimFolder = "team/newarbots" }).Spec.Containers[0].VolumeMounts[0].SubPath);
    }

    [Fact]
    public void A_session_folder_outside_the_storage_folder_is_refused()
    {
        Assert.Throws<ArgumentException>(() => RecorderPod.From(
            new(SessionId.Parse("0193a0"), UserId.Parse("anna"), new Dictionary<string, string>(), "/storage/../etc"), new(), new(), new(10001, 10001), "/storage"));
    }

    [Fact]
    public void Values_of_the_environment_are_not_expanded()
    {
        Assert.Equal(
            [("A", "1"), ("B", "$$(A) $A")],
            Container.Env.Select(variable => (variable.Name, variable.Value)));
    }

    [Fact]
    public void The_pod_reserves_its_memory_and_half_of_its_processors()
    {
        Assert.Equal((new ResourceQuantity("1000m"), new ResourceQuantity("2048Mi")), (Container.Resources.Limits["cpu"], Container.Resources.Limits["memory"]));
        Assert.Equal((new ResourceQuantity("500m"), new ResourceQuantity("2048Mi")), (Container.Resources.Requests["cpu"], Container.Resources.Requests["memory"]));
    }

    [Fact]
    public void The_placement_is_configurable()
    {
        var pod = From(
            new() { Image = "registry/recorder:1", Stack = "mine", Cpus = 2, MemoryMb = 1024 },
            new()
            {
                Claim = "other",
                SeccompProfile = "RuntimeDefault",
                ImagePullPolicy = "Always",
                ImagePullSecrets = { "registry" },
                RequestCpus = 0.25,
                RequestMemoryMb = 512,
                NodeSelector = { ["pool"] = "bots" },
                Tolerations = { new() { Key = "bots", Operator = "Exists", Effect = "NoSchedule" } },
                PriorityClass = "high",
                RuntimeClass = "gvisor",
            });

        var container = pod.Spec.Containers[0];
        Assert.Equal(("registry/recorder:1", "Always", "mine"), (container.Image, container.ImagePullPolicy, pod.GetLabel("newarbots.stack")));
        Assert.Equal((new ResourceQuantity("250m"), new ResourceQuantity("512Mi")), (container.Resources.Requests["cpu"], container.Resources.Requests["memory"]));
        Assert.Equal(("high", "gvisor", "registry"), (pod.Spec.PriorityClassName, pod.Spec.RuntimeClassName, pod.Spec.ImagePullSecrets.Single().Name));
        Assert.Equal(("bots", "RuntimeDefault"), (pod.Spec.NodeSelector["pool"], pod.Spec.SecurityContext.SeccompProfile.Type));
        Assert.Contains(pod.Spec.Tolerations, toleration => toleration is { Key: "bots", OperatorProperty: "Exists", Effect: "NoSchedule" });
    }

    internal const string Storage = "/storage";

    internal static RecorderContainerSpec Spec(SessionId id) => new(
        id, UserId.Parse("-anna_"), new Dictionary<string, string> { ["B"] = "$(A) $A", ["A"] = "1" }, new StorageLayout(Storage).SessionFolder(UserId.Parse("-anna_"), id));

    private static V1Pod From(LaunchingOptions launching, KubernetesOptions options) =>
        RecorderPod.From(Spec(SessionId.Parse("0193a0")), launching, options, new(10001, 10001), Storage);
}
