using System.Text.RegularExpressions;
using Docker.DotNet;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Translates the manager's paths to the engine's. They are the same unless this manager is itself a container of that engine. Then the
/// path must be on one of the container's mounts, and the engine knows the host folder behind it.
/// </summary>
internal sealed partial class HostPaths(DockerEngine engine)
{
    private readonly string? _ownContainer = OwnContainerId();

    private IReadOnlyList<HostMount>? _mounts;

    /// <exception cref="ContainerEngineException">The path is on no mount of this manager's container, so no bot could write to it.</exception>
    public async Task<string> ResolveAsync(string path, CancellationToken cancellation)
    {
        if (_ownContainer is null)
            return path;

        // Mounts do not change while a container runs. Two concurrent lookups do no harm.
        _mounts ??= await engine.CallAsync((docker, token) => MountsOfAsync(docker, _ownContainer, token), cancellation);
        return Resolve(path, _mounts) ?? throw new ContainerEngineException(
            $"{path} is on no mount of this container, so no bot could write to it. Mount a folder or volume at Storage:Path.",
            ContainerEngineFailure.Refused);
    }

    /// <returns><see langword="null"/> if the path is on none of the mounts.</returns>
    internal static string? Resolve(string path, IReadOnlyList<HostMount> mounts)
    {
        var mount = mounts.Where(mount => mount.Covers(path)).MaxBy(mount => mount.Inside.Length);
        return mount switch
        {
            null => null,
            _ when mount.Inside == path => mount.Outside,
            _ => Path.Join(mount.Outside, Path.GetRelativePath(mount.Inside, path)),
        };
    }

    /// <summary>Docker mounts <c>/etc/hostname</c> and similar files from a folder whose name is the container's id.</summary>
    internal static string? ContainerIdOf(string mountInfo) =>
        ContainerFolder().Match(mountInfo) is { Success: true } match ? match.Groups["id"].Value : null;

    private static string? OwnContainerId()
    {
        const string MountInfo = "/proc/self/mountinfo";
        return File.Exists(MountInfo) ? ContainerIdOf(File.ReadAllText(MountInfo)) : null;
    }

    private static async Task<IReadOnlyList<HostMount>> MountsOfAsync(
        IDockerClient docker, string container, CancellationToken cancellation)
    {
        try
        {
            var own = await docker.Containers.InspectContainerAsync(container, cancellation);
            return [.. own.Mounts.Select(mount => new HostMount(mount.Destination, mount.Source))];
        }
        catch (DockerContainerNotFoundException)
        {
            // This manager is a container of another engine that sees the same files as this one.
            return [new("/", "/")];
        }
    }

    [GeneratedRegex(
        "/containers/(?<id>[0-9a-f]{64})/(?:hostname|hosts|resolv\\.conf) ",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ContainerFolder();
}

/// <summary>A mount of a container.</summary>
/// <param name="Inside">The path in the container.</param>
/// <param name="Outside">The host folder behind it.</param>
internal sealed record HostMount(string Inside, string Outside)
{
    public bool Covers(string path) =>
        path == Inside || path.StartsWith(Inside.EndsWith('/') ? Inside : Inside + "/", StringComparison.Ordinal);
}
