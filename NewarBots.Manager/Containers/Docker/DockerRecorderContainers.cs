using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Recorders as containers of one Docker engine. Containers of another stack do not exist for it.</summary>
internal sealed partial class DockerRecorderContainers(
    DockerEngine engine,
    BotNetwork network,
    RecorderStack stack,
    HostPaths hostPaths,
    IOptions<LaunchingOptions> options,
    TimeProvider time,
    ILogger<DockerRecorderContainers> logger) : IRecorderContainers
{
    /// <summary>What a bot's log is cut at; Docker itself keeps the last 10 MB of it, written as JSON.</summary>
    private const int MaxLogBytes = 16 * 1024 * 1024;

    /// <summary>The engine's clock and ours may differ; an exit that is told twice does no harm.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(5);

    /// <summary>How long (20 s) a name may be taken by a container that is being made or removed.</summary>
    private const int MaxAttempts = 100;

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<string, bool> _strangers = new();

    public async Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation)
    {
        await network.EnsureAsync(cancellation);
        var request = DockerContainerRequest.From(
            spec,
            options.Value,
            ContainerUser.OfRecorders,
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
            catch (ContainerEngineException exception) when (BotNetwork.HasDouble(exception) && attempt < MaxAttempts)
            {
                await network.RemoveDoublesAsync(cancellation);
                await Task.Delay(BetweenAttempts, time, cancellation);
            }
        }
    }

    public async Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation) =>
        await InspectOwnAsync(RecorderContainerName.Of(id), cancellation) is { } container ? Read(container) : null;

    public async Task<RecorderOrigin?> FindOriginAsync(SessionId id, CancellationToken cancellation)
    {
        if (await InspectOwnAsync(RecorderContainerName.Of(id), cancellation) is not { } container)
            return null;
        var variables = container.Config.Env
            .Select(variable => variable.Split('=', 2))
            .Where(parts => parts.Length == 2)
            .ToLookup(parts => parts[0], parts => parts[1]);
        try
        {
            var environment = RecorderEnvironment.Read(name => variables[name].LastOrDefault());
            return environment.SessionId == id ? new(environment, MetadataOf(container)) : null;
        }
        catch (InvalidRecorderEnvironmentException exception)
        {
            Log.UnreadableEnvironment(logger, RecorderContainerName.Of(id), exception.Message);
            return null;
        }
    }

    public async Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation)
    {
        var ours = $"{RecorderLabels.Stack}={await stack.NameAsync(cancellation)}";
        var listed = await engine.AskAsync(
            (docker, token) => docker.Containers.ListContainersAsync(new() { All = true, Filters = Filter(("label", ours)) }, token),
            cancellation);

        var recorders = new List<RecorderContainer>(listed.Count);
        foreach (var container in listed)
        {
            if (Identify(container.ID, container.Labels) is not var (session, user)
                || !container.Names.Contains($"/{RecorderContainerName.Of(session)}"))
                continue;

            var state = StateOf(container.State);
            if (state is not RecorderContainerState.Exited)
                recorders.Add(new(session, user, state));
            else if (await InspectOwnAsync(container.ID, cancellation) is { } exited && Read(exited) is { } recorder)
                recorders.Add(recorder);
        }
        return recorders;
    }

    public async Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation)
    {
        if (await InspectOwnAsync(RecorderContainerName.Of(id), cancellation) is not { State.Running: true } container)
            return;

        await engine.AskAsync(
            grace + DockerEngine.LongPatience,
            (docker, token) => UnlessGoneAsync(docker.Containers.StopContainerAsync(
                container.ID, new() { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) }, token)),
            cancellation);
    }

    public Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation) => engine.AskAsync<RecorderUsage?>(
        async (docker, token) =>
        {
            ContainerStatsResponse? seen = null;
            try
            {
                await docker.Containers.GetContainerStatsAsync(
                    RecorderContainerName.Of(id), new() { Stream = false, OneShot = true }, new Listener<ContainerStatsResponse>(stats => seen = stats), token);
            }
            catch (DockerContainerNotFoundException)
            {
                return null;
            }

            // A container that does not run has nothing but zeros.
            if (seen is not { MemoryStats.Usage: > 0 })
                return null;
            // What the kernel keeps of files and would give back at once is nobody's use. The name depends on the cgroup version.
            var files = seen.MemoryStats.Stats is { } stats
                && (stats.TryGetValue("total_inactive_file", out var inactive) || stats.TryGetValue("inactive_file", out inactive))
                ? inactive
                : 0;
            return new(
                (long)(seen.MemoryStats.Usage - Math.Min(files, seen.MemoryStats.Usage)),
                TimeSpan.FromMicroseconds(seen.CPUStats.CPUUsage.TotalUsage / 1000d));
        },
        cancellation);

    public Task CopyLogAsync(SessionId id, Stream destination, CancellationToken cancellation) =>
        CopyLogAsync(id, destination, follow: false, DockerEngine.LongPatience, cancellation);

    public Task FollowLogAsync(SessionId id, Stream destination, CancellationToken cancellation) =>
        CopyLogAsync(id, destination, follow: true, Timeout.InfiniteTimeSpan, cancellation);

    public async Task RemoveAsync(SessionId id, CancellationToken cancellation)
    {
        if (await InspectOwnAsync(RecorderContainerName.Of(id), cancellation) is not { } container)
            return;

        await engine.AskAsync(
            DockerEngine.LongPatience,
            async (docker, token) =>
            {
                try
                {
                    await UnlessGoneAsync(docker.Containers.RemoveContainerAsync(
                        container.ID, new() { Force = true, RemoveVolumes = true }, token));
                }
                catch (DockerApiException exception) when (IsBeingRemoved(exception))
                {
                    // Somebody else asked for the same.
                }
            },
            cancellation);
    }

    public IAsyncEnumerable<SessionId> WatchExitsAsync(CancellationToken cancellation) =>
        // From now on, even if the first exit is asked for later: the engine remembers its latest events.
        FollowExitsAsync(time.GetUtcNow() - ClockDifference, cancellation);

    private async IAsyncEnumerable<SessionId> FollowExitsAsync(
        DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var ours = $"{RecorderLabels.Stack}={await stack.NameAsync(cancellation)}";
        var exits = Channel.CreateUnbounded<SessionId>();
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var following = FollowAsync();
        try
        {
            await foreach (var exit in exits.Reader.ReadAllAsync(cancellation))
                yield return exit;
        }
        finally
        {
            await abandoned.CancelAsync();
            await following;
        }

        async Task FollowAsync()
        {
            try
            {
                await engine.FollowAsync(
                    (docker, token) => docker.System.MonitorEventsAsync(
                        new()
                        {
                            Since = since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                            Filters = Filter(("type", "container"), ("event", "die"), ("label", ours)),
                        },
                        new Listener<Message>(message =>
                        {
                            if (Identify(message.Actor.ID, message.Actor.Attributes) is var (session, _))
                                exits.Writer.TryWrite(session);
                        }),
                        token),
                    abandoned.Token);
            }
            catch (Exception exception) when (exception is ContainerEngineException or OperationCanceledException)
            {
                exits.Writer.TryComplete(exception);
            }
        }
    }

    /// <returns>The id of a container to be started; <see langword="null"/> where the bot's container was started before.</returns>
    private async Task<string?> CreateOrFindAsync(CreateContainerParameters request, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await CreateAsync(request, cancellation) is { } id)
                return id;
            if (await InspectAsync(request.Name, cancellation) is { } earlier)
            {
                return StackOf(earlier) == request.Labels[RecorderLabels.Stack]
                    ? StateOf(earlier.State.Status) is RecorderContainerState.Created ? earlier.ID : null
                    : throw Refused($"The name {request.Name} is taken by a container of another stack.");
            }

            // Its name is taken and it is not there: somebody else is just making it, or removing it.
            if (attempt == MaxAttempts)
                throw Refused($"The name {request.Name} stays taken by a container that cannot be seen.");
            await Task.Delay(BetweenAttempts, time, cancellation);
        }

        static ContainerEngineException Refused(string message) => new(message, ContainerEngineFailure.Refused);
    }

    /// <returns>The container's id; <see langword="null"/> where its name is taken already.</returns>
    private Task<string?> CreateAsync(CreateContainerParameters request, CancellationToken cancellation) => engine.AskAsync(
        DockerEngine.LongPatience,
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

    private Task<bool> StartAsync(string id, CancellationToken cancellation) => engine.AskAsync(
        DockerEngine.LongPatience, (docker, token) => docker.Containers.StartContainerAsync(id, new(), token), cancellation);

    /// <returns><see langword="null"/> where there is none, or where it belongs to another stack.</returns>
    private async Task<ContainerInspectResponse?> InspectOwnAsync(string nameOrId, CancellationToken cancellation)
    {
        var ours = await stack.NameAsync(cancellation);
        return await InspectAsync(nameOrId, cancellation) is { } container && StackOf(container) == ours ? container : null;
    }

    private Task<ContainerInspectResponse?> InspectAsync(string nameOrId, CancellationToken cancellation) =>
        engine.AskAsync<ContainerInspectResponse?>(
            async (docker, token) =>
            {
                try
                {
                    return await docker.Containers.InspectContainerAsync(nameOrId, token);
                }
                catch (DockerContainerNotFoundException)
                {
                    return null;
                }
            },
            cancellation);

    private static string? StackOf(ContainerInspectResponse container) =>
        container.Config.Labels?.TryGetValue(RecorderLabels.Stack, out var stack) is true ? stack : null;

    private static Dictionary<string, string> MetadataOf(ContainerInspectResponse container)
    {
        if (container.Config.Labels?.TryGetValue(RecorderLabels.Metadata, out var json) is not true)
            return [];
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private RecorderContainer? Read(ContainerInspectResponse container)
    {
        if (Identify(container.ID, container.Config.Labels) is not var (session, user))
            return null;

        var state = StateOf(container.State.Status);
        var exit = state is RecorderContainerState.Exited
            ? new RecorderExit(
                container.State.ExitCode,
                container.State.OOMKilled,
                DateTimeOffset.Parse(container.State.FinishedAt, CultureInfo.InvariantCulture))
            : null;
        return new(session, user, state, exit);
    }

    /// <returns><see langword="null"/> where the labels are none of ours; that is said once.</returns>
    private (SessionId Session, UserId User)? Identify(string container, IDictionary<string, string> labels)
    {
        labels.TryGetValue(RecorderLabels.Session, out var session);
        labels.TryGetValue(RecorderLabels.User, out var user);
        if (SessionId.TryParse(session, provider: null, out var sessionId) && UserId.TryParse(user, provider: null, out var userId))
            return (sessionId, userId);

        if (_strangers.TryAdd(container, value: true))
            Log.Stranger(logger, container, session);
        return null;
    }

    private static RecorderContainerState StateOf(string status) => status switch
    {
        "created" => RecorderContainerState.Created,
        "running" or "paused" or "restarting" => RecorderContainerState.Running,
        _ => RecorderContainerState.Exited,
    };

    private async Task CopyLogAsync(
        SessionId id, Stream destination, bool follow, TimeSpan patience, CancellationToken cancellation)
    {
        if (await InspectOwnAsync(RecorderContainerName.Of(id), cancellation) is not { } container)
            return;

        await engine.AskAsync(
            patience,
            async (docker, token) =>
            {
                try
                {
                    using var log = await docker.Containers.GetContainerLogsAsync(
                        container.ID, tty: false, new() { ShowStdout = true, ShowStderr = true, Follow = follow }, token);
                    await CopyAsync(log, destination, token);
                }
                catch (DockerContainerNotFoundException)
                {
                    // Somebody removed it meanwhile.
                }
            },
            cancellation);
    }

    private static async Task CopyAsync(MultiplexedStream log, Stream destination, CancellationToken cancellation)
    {
        var buffer = new byte[32 * 1024];
        var left = MaxLogBytes;
        while (left > 0)
        {
            var read = await log.ReadOutputAsync(buffer, 0, Math.Min(buffer.Length, left), cancellation);
            if (read.EOF)
                return;
            await destination.WriteAsync(buffer.AsMemory(0, read.Count), cancellation);
            left -= read.Count;
        }
        await destination.WriteAsync("\n(The log was longer than 16 MB and is cut here.)\n"u8.ToArray(), cancellation);
    }

    private static async Task UnlessGoneAsync(Task request)
    {
        try
        {
            await request;
        }
        catch (DockerContainerNotFoundException)
        {
            // What was asked for is true already.
        }
    }

    private static bool IsBeingRemoved(DockerApiException exception) =>
        exception.StatusCode is System.Net.HttpStatusCode.Conflict
        && exception.ResponseBody.Contains("already in progress", StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, IDictionary<string, bool>> Filter(params IEnumerable<(string Key, string Value)> conditions) =>
        conditions.ToDictionary(
            condition => condition.Key,
            IDictionary<string, bool> (condition) => new Dictionary<string, bool> { [condition.Value] = true });

    /// <summary>Hears at once and in order, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Listener<T>(Action<T> hear) : IProgress<T>
    {
        public void Report(T value) => hear(value);
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Container {Container} has our stack's label but no session of ours ('{Session}'): left alone.")]
        public static partial void Stranger(ILogger logger, string container, string? session);

        [LoggerMessage(LogLevel.Warning, "What container {Container} was started with cannot be read: {Why}")]
        public static partial void UnreadableEnvironment(ILogger logger, string container, string why);
    }
}
