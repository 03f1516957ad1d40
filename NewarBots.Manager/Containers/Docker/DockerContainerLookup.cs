using System.Collections.Concurrent;
using System.Globalization;
using Docker.DotNet;
using Docker.DotNet.Models;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Finds the recorders' containers and reads their labels and state. Containers of other stacks are ignored.</summary>
internal sealed partial class DockerContainerLookup(DockerEngine engine, RecorderStack stack, ILogger<DockerContainerLookup> logger)
{
    /// <summary>Ids of containers that were logged already.</summary>
    private readonly ConcurrentDictionary<string, bool> _unidentified = new();

    /// <summary>
    /// The engine may fail to inspect one container, for example if its layers are lost or its lock is held. Its list still shows the state then.
    /// </summary>
    public async Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            return await InspectOwnAsync(id, cancellation) is { } container ? Read(container) : null;
        }
        catch (ContainerEngineException exception)
        {
            if ((await ListAsync(cancellation)).FirstOrDefault(container => container.Id == id) is not { } listed)
                throw;
            Log.NotInspected(logger, RecorderContainerName.Of(id), id, listed.State, exception.Message);
            return listed;
        }
    }

    public async Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation)
    {
        // Containers are not inspected: one that cannot be inspected must not keep the others from being listed.
        var ofStack = Filter(("label", await StackLabelAsync(cancellation)));
        var listed = await engine.CallAsync(
            (docker, token) => docker.Containers.ListContainersAsync(new() { All = true, Filters = ofStack }, token),
            cancellation);

        var recorders = new List<RecorderContainer>(listed.Count);
        foreach (var container in listed)
        {
            if (Identify(container.ID, container.Labels) is not var (session, user))
                continue;
            if (container.Names?.Contains($"/{RecorderContainerName.Of(session)}") is true)
                recorders.Add(new(session, user, StateOf(container.State)));
            else if (_unidentified.TryAdd(container.ID, value: true))
                Log.Second(logger, container.ID, session, RecorderContainerName.Of(session));
        }

        return recorders;
    }

    /// <returns><see langword="null"/> if the bot has no container, or it belongs to another stack.</returns>
    public Task<ContainerInspectResponse?> InspectOwnAsync(SessionId id, CancellationToken cancellation) =>
        InspectOwnAsync(RecorderContainerName.Of(id), cancellation);

    public Task<ContainerInspectResponse?> InspectAsync(string nameOrId, CancellationToken cancellation) =>
        engine.CallAsync<ContainerInspectResponse?>(
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

    /// <returns><see langword="null"/> if the labels do not identify a bot. Logged once per container.</returns>
    public (SessionId Session, UserId User)? Identify(string container, IDictionary<string, string> labels)
    {
        labels.TryGetValue(RecorderLabels.Session, out var session);
        labels.TryGetValue(RecorderLabels.User, out var user);
        if (SessionId.TryParse(session, provider: null, out var sessionId) && UserId.TryParse(user, provider: null, out var userId))
            return (sessionId, userId);

        if (_unidentified.TryAdd(container, value: true))
            Log.Unidentified(logger, container, session);
        return null;
    }

    /// <summary>The label that all containers of this stack have, as <c>name=value</c>.</summary>
    public async Task<string> StackLabelAsync(CancellationToken cancellation) =>
        $"{RecorderLabels.Stack}={await stack.NameAsync(cancellation)}";

    public static Dictionary<string, IDictionary<string, bool>> Filter(params IEnumerable<(string Key, string Value)> conditions) =>
        conditions.ToDictionary(
            condition => condition.Key,
            IDictionary<string, bool> (condition) => new Dictionary<string, bool> { [condition.Value] = true });

    public static string? StackOf(ContainerInspectResponse container) =>
        container.Config.Labels?.TryGetValue(RecorderLabels.Stack, out var stack) is true ? stack : null;

    public static RecorderContainerState StateOf(string status) => status switch
    {
        "created" => RecorderContainerState.Created,
        "running" or "paused" or "restarting" => RecorderContainerState.Running,
        _ => RecorderContainerState.Exited,
    };

    private async Task<ContainerInspectResponse?> InspectOwnAsync(string nameOrId, CancellationToken cancellation)
    {
        var ours = await stack.NameAsync(cancellation);
        return await InspectAsync(nameOrId, cancellation) is { } container && StackOf(container) == ours ? container : null;
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
            {
                StartedAt = DateTimeOffset.Parse(container.State.StartedAt, CultureInfo.InvariantCulture),
            }
            : null;
        return new(session, user, state, exit);
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Ignored container {Container}: it has this stack's label, but its session label '{Session}' is no session id of a bot.")]
        public static partial void Unidentified(ILogger logger, string container, string? session);

        [LoggerMessage(LogLevel.Warning, "Ignored container {Container}: it has the label of bot {SessionId}, whose container is {Name}.")]
        public static partial void Second(ILogger logger, string container, SessionId sessionId, string name);

        [LoggerMessage(LogLevel.Warning, "Container {Container} of bot {SessionId} cannot be inspected, its state is {State} in the engine's list and its exit code is unknown: {Error}")]
        public static partial void NotInspected(ILogger logger, string container, SessionId sessionId, RecorderContainerState state, string error);
    }
}
