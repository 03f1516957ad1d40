using System.Text.RegularExpressions;
using Docker.DotNet;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// The path by which the engine knows a folder of ours. The same path, unless this manager is itself a container of that
/// engine: then the folder lies on one of its mounts, and the engine says what is behind it.
/// </summary>
internal sealed partial class HostPaths(DockerEngine engine)
{
    private readonly string? _ownContainer = OwnContainerId();

    private IReadOnlyList<HostMount>? _mounts;

    /// <exception cref="ContainerEngineException">The path lies on no mount of our container: no bot could write there.</exception>
    public async Task<string> ResolveAsync(string path, CancellationToken cancellation)
    {
        if (_ownContainer is null)
            return path;

        // Mounts never change while a container runs. Asking twice at once does no harm.
        _mounts ??= await engine.AskAsync((docker, token) => MountsOfAsync(docker, _ownContainer, token), cancellation);
        return Resolve(path, _mounts) ?? throw new ContainerEngineException(
            $"{path} lies on no mount of this container, so that no bot could write there: mount a folder or volume at Storage:Path.",
            ContainerEngineFailure.Refused);
    }

    /// <returns><see langword="null"/> where the path lies on none of the mounts.</returns>
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

    /// <summary>Docker mounts <c>/etc/hostname</c> and others from its folder for the container, which is named by the id.</summary>
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
            // A container of some other engine, with this one inside it or beside it: both see the same files.
            return [new("/", "/")];
        }
    }

    [GeneratedRegex(
        "/containers/(?<id>[0-9a-f]{64})/(?:hostname|hosts|resolv\\.conf) ",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ContainerFolder();
}

/// <summary>A mount of a container.</summary>
/// <param name="Inside">Where it lies in the container.</param>
/// <param name="Outside">The host's folder behind it.</param>
internal sealed record HostMount(string Inside, string Outside)
{
    public bool Covers(string path) =>
        path == Inside || path.StartsWith(Inside.EndsWith('/') ? Inside : Inside + "/", StringComparison.Ordinal);
}
