using System.Reflection;
using Docker.DotNet.Models;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// The Docker request for a recorder's container, with its resource limits and minimal privileges. It decides what a page can reach after
/// breaking out of Chromium.
/// </summary>
internal static class DockerContainerRequest
{
    private const long MiB = 1024 * 1024;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Four times the weight of other containers. A late recorder loses audio, a late manager does not. A nice limit (<c>Ulimits</c>) would help
    /// the page's audio threads only, and engines without CAP_SYS_RESOURCE refuse to start such a container.
    /// </summary>
    private const long CpuShares = 4 * 1024;

    private static string SeccompProfile { get; } = ReadSeccompProfile();

    /// <param name="spec">The container to create.</param>
    /// <param name="options">Image, network and limits.</param>
    /// <param name="user">The user that the recorder runs as.</param>
    /// <param name="sessionFolderOnHost">The session folder by the engine's path.</param>
    /// <param name="stack">See <see cref="RecorderStack"/>.</param>
    public static CreateContainerParameters From(
        RecorderContainerSpec spec, LaunchingOptions options, ContainerUser user, string sessionFolderOnHost, string stack) =>
        new()
        {
            Name = spec.Name,
            Image = options.Image,
            User = user.ToString(),
            Env = [.. spec.Environment.Select(variable => $"{variable.Key}={variable.Value}")],
            Labels = new Dictionary<string, string>
            {
                [RecorderLabels.Session] = spec.Id.ToString(),
                [RecorderLabels.User] = spec.UserId.ToString(),
                [RecorderLabels.Stack] = stack,
            },
            StopSignal = "SIGTERM",
            StopTimeout = StopTimeout,
            HostConfig = new()
            {
                Memory = options.MemoryMb * MiB,
                MemorySwap = options.MemoryMb * MiB,
                NanoCPUs = (long)(options.Cpus * 1_000_000_000),
                CPUShares = CpuShares,
                PidsLimit = options.PidsLimit,
                ShmSize = 256 * MiB,
                Init = true,
                RestartPolicy = new() { Name = RestartPolicyKind.No },
                LogConfig = new()
                {
                    Type = "json-file",
                    Config = new Dictionary<string, string> { ["max-size"] = "10m", ["max-file"] = "1" },
                },
                CapDrop = ["ALL"],
                SecurityOpt = ["no-new-privileges:true", $"seccomp={SeccompProfile}"],
                ReadonlyRootfs = true,
                Tmpfs = new Dictionary<string, string> { ["/tmp"] = "rw,nosuid,nodev,noexec,mode=1777,size=512m" },
                Mounts =
                [
                    new() { Type = "bind", Source = sessionFolderOnHost, Target = RecorderEnvironment.SessionFolderInContainer },
                ],
                NetworkMode = options.Network,
                ExtraHosts = [$"{IPortForwarding.HostName}:host-gateway"],
            },
        };

    private static string ReadSeccompProfile()
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("seccomp.json")
            ?? throw new InvalidOperationException("The resource seccomp.json is not part of this build.");
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
