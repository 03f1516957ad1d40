using k8s.Models;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>
/// The pod of a recorder. It decides what a page can reach after breaking out of Chromium. A bare pod: a Job replaces a pod that was deleted or
/// whose node was lost, and its replacement would be a second recorder.
/// </summary>
internal static class RecorderPod
{
    public const string Container = "recorder";

    private const string StorageVolume = "session";

    private const long StopSeconds = 15;

    private const string LocalhostPrefix = "Localhost/";

    /// <summary>Seconds are not limited: a node that comes back finds its recorder, which has gone on recording.</summary>
    private static IEnumerable<V1Toleration> LostNode =>
        from taint in (string[])["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        select new V1Toleration { Key = taint, OperatorProperty = "Exists", Effect = "NoExecute" };

    /// <param name="spec">The recorder.</param>
    /// <param name="launching">Image and limits.</param>
    /// <param name="options">The cluster's settings.</param>
    /// <param name="user">The user that the recorder runs as.</param>
    /// <param name="storageRoot">The manager's folder where the claim is mounted, which the session folder is in.</param>
    public static V1Pod From(
        RecorderContainerSpec spec, LaunchingOptions launching, KubernetesOptions options, ContainerUser user, string storageRoot) =>
        new()
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new()
            {
                Name = spec.Name,
                Labels = new Dictionary<string, string>
                {
                    ["app.kubernetes.io/name"] = "newarbots-recorder",
                    [RecorderLabels.Session] = spec.Id.ToString(),
                    [RecorderLabels.Stack] = StackOf(launching, options),
                },
                Annotations = new Dictionary<string, string>
                {
                    [RecorderLabels.User] = spec.UserId.ToString(),
                    // An autoscaler must not remove the node of a bot that records.
                    ["cluster-autoscaler.kubernetes.io/safe-to-evict"] = "false",
                },
            },
            Spec = new()
            {
                RestartPolicy = "Never",
                AutomountServiceAccountToken = false,
                EnableServiceLinks = false,
                TerminationGracePeriodSeconds = StopSeconds,
                NodeSelector = options.NodeSelector.Count > 0 ? options.NodeSelector : null,
                Tolerations = [.. LostNode, .. options.Tolerations.Select(Toleration)],
                PriorityClassName = options.PriorityClass,
                RuntimeClassName = options.RuntimeClass,
                ImagePullSecrets = [.. options.ImagePullSecrets.Select(name => new V1LocalObjectReference { Name = name })],
                SecurityContext = new()
                {
                    RunAsNonRoot = true,
                    RunAsUser = user.Uid,
                    RunAsGroup = user.Gid,
                    SeccompProfile = Seccomp(options.SeccompProfile),
                },
                Containers = [ContainerOf(spec, launching, options, storageRoot)],
                Volumes =
                [
                    new() { Name = StorageVolume, PersistentVolumeClaim = new() { ClaimName = options.Claim } },
                    InMemory("shm", "256Mi"),
                    InMemory("tmp", "512Mi"),
                ],
            },
        };

    /// <summary>The name of this installation in its namespace. Managers that share a claim share bots.</summary>
    public static string StackOf(LaunchingOptions launching, KubernetesOptions options) => launching.Stack ?? options.Claim;

    private static V1Container ContainerOf(RecorderContainerSpec spec, LaunchingOptions launching, KubernetesOptions options, string storageRoot) => new()
    {
        Name = Container,
        Image = launching.Image,
        ImagePullPolicy = options.ImagePullPolicy,
        Env = [.. spec.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal).Select(variable => new V1EnvVar { Name = variable.Key, Value = Literal(variable.Value) })],
        Resources = new()
        {
            Limits = Resources(launching.Cpus, launching.MemoryMb),
            Requests = Resources(options.RequestCpus ?? launching.Cpus / 2, options.RequestMemoryMb ?? launching.MemoryMb),
        },
        SecurityContext = new()
        {
            ReadOnlyRootFilesystem = true,
            AllowPrivilegeEscalation = false,
            Privileged = false,
            Capabilities = new() { Drop = ["ALL"] },
        },
        VolumeMounts =
        [
            new() { Name = StorageVolume, MountPath = RecorderEnvironment.SessionFolderInContainer, SubPath = SubPath(spec.SessionFolder, options.ClaimFolder, storageRoot) },
            new() { Name = "shm", MountPath = "/dev/shm" },
            new() { Name = "tmp", MountPath = "/tmp" },
        ],
    };

    /// <exception cref="ArgumentException">The session folder is outside the storage folder.</exception>
    private static string SubPath(string sessionFolder, string claimFolder, string storageRoot)
    {
        var relative = Path.GetRelativePath(storageRoot, sessionFolder);
        if (relative == "." || relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative))
            throw new ArgumentException($"{sessionFolder} is not inside {storageRoot}.", nameof(sessionFolder));
        return Path.Combine(claimFolder, relative);
    }

    /// <summary>Kubernetes expands <c>$(NAME)</c> in values.</summary>
    private static string Literal(string value) => value.Replace("$(", "$$(", StringComparison.Ordinal);

    private static Dictionary<string, ResourceQuantity> Resources(double cpus, int memoryMb) => new()
    {
        ["cpu"] = new(FormattableString.Invariant($"{Math.Ceiling(cpus * 1000):0}m")),
        ["memory"] = new($"{memoryMb}Mi"),
    };

    private static V1Volume InMemory(string name, string size) =>
        new() { Name = name, EmptyDir = new() { Medium = "Memory", SizeLimit = new(size) } };

    private static V1SeccompProfile Seccomp(string profile) => profile.StartsWith(LocalhostPrefix, StringComparison.Ordinal)
        ? new() { Type = "Localhost", LocalhostProfile = profile[LocalhostPrefix.Length..] }
        : new() { Type = profile };

    private static V1Toleration Toleration(TolerationOptions options) => new()
    {
        Key = options.Key,
        OperatorProperty = options.Operator,
        Value = options.Value,
        Effect = options.Effect,
    };
}
