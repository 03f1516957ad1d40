using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Runs recorders as containers of one Docker engine. Containers of other stacks are never touched.</summary>
internal sealed class DockerRuntime(
    DockerEngine engine,
    BotNetwork network,
    RecorderStack stack,
    HostPaths hostPaths,
    DockerContainerLookup lookup,
    DockerContainerLogs logs,
    DockerExitEvents exits,
    IOptions<LaunchingOptions> options,
    TimeProvider time) : IRecorderRuntime
{
    /// <summary>Wait 20 s at most for a container of the same name that is being created or removed.</summary>
    private const int MaxAttempts = 100;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    public async Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation)
    {
        await network.EnsureAsync(cancellation);
        var request = DockerContainerRequest.From(
            spec,
            options.Value,
            SessionFolders.OwnerOf(spec.SessionFolder),
            await hostPaths.ResolveAsync(spec.SessionFolder, cancellation),
            await stack.NameAsync(cancellation));

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var created = await BotTracing.InPartAsync("container create", () => CreateOrFindAsync(request, cancellation));
                if (created is { } id)
                    await BotTracing.InPartAsync("container start", () => StartAsync(id, cancellation));
                return;
            }
            catch (ContainerEngineException exception) when (BotNetwork.IsAmbiguous(exception) && attempt < MaxAttempts)
            {
                await network.RemoveDoublesAsync(cancellation);
                await Task.Delay(RetryDelay, time, cancellation);
            }
        }
    }

    public Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation) => lookup.FindAsync(id, cancellation);

    public Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation) => lookup.ListAsync(cancellation);

    public async Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation)
    {
        if (await lookup.FindAsync(id, cancellation) is not { State: RecorderContainerState.Running })
            return;

        await engine.CallAsync(
            grace + DockerEngine.LongTimeout,
            (docker, token) => IgnoreNotFoundAsync(docker.Containers.StopContainerAsync(
                RecorderContainerName.Of(id), new() { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) }, token)),
            cancellation);
    }

    public Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation) => engine.CallAsync(
        async (docker, token) =>
        {
            ContainerStatsResponse? stats = null;
            await IgnoreNotFoundAsync(docker.Containers.GetContainerStatsAsync(
                RecorderContainerName.Of(id),
                new() { Stream = false, OneShot = true },
                new SynchronousProgress<ContainerStatsResponse>(response => stats = response),
                token));
            return UsageOf(stats);
        },
        cancellation);

    public Task CopyLogAsync(SessionId id, Stream destination, CancellationToken cancellation) => logs.CopyAsync(id, destination, cancellation);

    public Task FollowLogAsync(SessionId id, Stream destination, CancellationToken cancellation) => logs.FollowAsync(id, destination, cancellation);

    public async Task RemoveAsync(SessionId id, CancellationToken cancellation)
    {
        if (await lookup.FindAsync(id, cancellation) is null)
            return;

        await engine.CallAsync(
            DockerEngine.LongTimeout,
            async (docker, token) =>
            {
                try
                {
                    await IgnoreNotFoundAsync(docker.Containers.RemoveContainerAsync(
                        RecorderContainerName.Of(id), new() { Force = true, RemoveVolumes = true }, token));
                }
                catch (DockerApiException exception) when (IsBeingRemoved(exception))
                {
                    // Another caller removes it already.
                }
            },
            cancellation);
    }

    public IAsyncEnumerable<SessionId> WatchExitsAsync(CancellationToken cancellation) => exits.WatchAsync(cancellation);

    /// <returns>The id of a container to start; <see langword="null"/> if the bot's container was started before.</returns>
    private async Task<string?> CreateOrFindAsync(CreateContainerParameters request, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await CreateAsync(request, cancellation) is { } id)
                return id;
            if (await lookup.InspectAsync(request.Name, cancellation) is { } earlier)
            {
                return DockerContainerLookup.StackOf(earlier) == request.Labels[RecorderLabels.Stack]
                    ? DockerContainerLookup.StateOf(earlier.State.Status) is RecorderContainerState.Created ? earlier.ID : null
                    : throw Refused($"The name {request.Name} is taken by a container of another stack.");
            }

            // The name is taken, but there is no container: it is being created or removed.
            if (attempt == MaxAttempts)
                throw Refused($"The name {request.Name} stays taken by a container that the engine does not show.");
            await Task.Delay(RetryDelay, time, cancellation);
        }

        static ContainerEngineException Refused(string message) => new(message, ContainerEngineFailure.Refused);
    }

    /// <returns>The container's id; <see langword="null"/> if its name is taken.</returns>
    private Task<string?> CreateAsync(CreateContainerParameters request, CancellationToken cancellation) => engine.CallAsync(
        DockerEngine.LongTimeout,
        async (docker, token) =>
        {
            try
            {
                return (await docker.Containers.CreateContainerAsync(request, token)).ID;
            }
            catch (DockerApiException exception) when (exception.StatusCode is System.Net.HttpStatusCode.Conflict)
            {
                return null;
            }
            catch (DockerImageNotFoundException exception)
            {
                throw DockerEngine.ImageMissing(request.Image, exception);
            }
        },
        cancellation);

    private Task<bool> StartAsync(string id, CancellationToken cancellation) => engine.CallAsync(
        DockerEngine.LongTimeout, (docker, token) => docker.Containers.StartContainerAsync(id, new(), token), cancellation);

    private static RecorderUsage? UsageOf(ContainerStatsResponse? stats)
    {
        // Docker reports zeros for a container that is not running.
        if (stats is not { MemoryStats.Usage: > 0 and var used })
            return null;
        // Exclude the inactive page cache, which the kernel reclaims first. Its name depends on the cgroup version.
        var cache = stats.MemoryStats.Stats is { } details
            && (details.TryGetValue("total_inactive_file", out var inactive) || details.TryGetValue("inactive_file", out inactive))
            ? inactive
            : 0;
        return new((long)(used - Math.Min(cache, used)), TimeSpan.FromMicroseconds(stats.CPUStats.CPUUsage.TotalUsage / 1000d));
    }

    private static async Task IgnoreNotFoundAsync(Task request)
    {
        try
        {
            await request;
        }
        catch (DockerContainerNotFoundException)
        {
            // Removed in the meantime.
        }
    }

    private static bool IsBeingRemoved(DockerApiException exception) =>
        exception.StatusCode is System.Net.HttpStatusCode.Conflict
        && exception.ResponseBody.Contains("already in progress", StringComparison.OrdinalIgnoreCase);
}
