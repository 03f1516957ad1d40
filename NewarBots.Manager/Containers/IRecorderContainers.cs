using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The engine that runs recorders in containers, one per bot. The container's name follows from the session id alone, so that two launches
/// cannot create two containers. Every method throws <see cref="ContainerEngineException"/> if the engine fails.
/// </summary>
internal interface IRecorderContainers
{
    /// <summary>
    /// Creates and starts the bot's container. A container that exists already is from an earlier, interrupted launch: it is started if it
    /// never was, and otherwise left as it is.
    /// </summary>
    Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation);

    /// <returns><see langword="null"/> if the bot has no container.</returns>
    Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation);

    /// <summary>Reads the environment and metadata that the bot's container was created with.</summary>
    /// <returns><see langword="null"/> if the bot has no container, or its environment is not a recorder's.</returns>
    Task<RecorderOrigin?> FindOriginAsync(SessionId id, CancellationToken cancellation);

    /// <summary>All recorders of this stack, in any state. How they exited is unknown (<see cref="FindAsync"/>).</summary>
    Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation);

    /// <summary>Tells a container that hangs from an outage of the engine, by listing all containers. Throws nothing but a cancellation.</summary>
    /// <returns>The cause of a failure, and the reason as one sentence without paths and commands.</returns>
    async Task<(FailureCause Cause, string Why)> CauseOfAsync(Exception exception, CancellationToken cancellation)
    {
        var known = (Failures.CauseOf(exception), Failures.Explain(exception));
        if (exception is not ContainerEngineException { Cause: FailureCause.Engine })
            return known;
        try
        {
            await ListAsync(cancellation);
            return (FailureCause.Bot, "The container engine does not answer requests about the bot's container, although it works otherwise.");
        }
        catch (ContainerEngineException)
        {
            return known;
        }
    }

    /// <summary>Sends SIGTERM, then SIGKILL after <paramref name="grace"/>. Does nothing if the container is not running.</summary>
    Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation);

    /// <summary>Measures the current resource usage of the bot's container.</summary>
    /// <returns><see langword="null"/> if the container is not running.</returns>
    Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation);

    /// <summary>Writes the container's output so far as text, both streams merged. Writes nothing if there is no container.</summary>
    Task CopyLogAsync(SessionId id, Stream destination, CancellationToken cancellation);

    /// <summary>Like <see cref="CopyLogAsync"/>, but continues with new output until the container exits.</summary>
    Task FollowLogAsync(SessionId id, Stream destination, CancellationToken cancellation);

    /// <summary>Removes the container, running or not. Does nothing if there is none.</summary>
    Task RemoveAsync(SessionId id, CancellationToken cancellation);

    /// <summary>
    /// The session ids of recorders that exit after this call. The sequence ends with a <see cref="ContainerEngineException"/> when the
    /// connection to the engine ends. Callers that subscribe again must list the containers, because exits in between are lost.
    /// </summary>
    IAsyncEnumerable<SessionId> WatchExitsAsync(CancellationToken cancellation);
}

/// <summary>The engine-independent description of one recorder's container.</summary>
/// <param name="Environment">The recorder's environment variables. Its session and user ids become labels as well.</param>
/// <param name="SessionFolder">The bot's own folder by the manager's path: the only mount.</param>
internal sealed record RecorderContainerSpec(RecorderEnvironment Environment, string SessionFolder)
{
    /// <summary>The caller's metadata, stored with the container but not passed to the recorder.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public string Name => RecorderContainerName.Of(Environment.SessionId);
}

/// <summary>The observed state of a recorder's container.</summary>
/// <param name="Id">From its label.</param>
/// <param name="UserId">From its label.</param>
/// <param name="State">Created, running or exited.</param>
/// <param name="Exit">How it exited; <see langword="null"/> in lists, and if the engine cannot tell.</param>
internal sealed record RecorderContainer(SessionId Id, UserId UserId, RecorderContainerState State, RecorderExit? Exit = null);

/// <summary>The environment and metadata of an existing container, enough to restore the bot's record.</summary>
internal sealed record RecorderOrigin(RecorderEnvironment Environment, IReadOnlyDictionary<string, string> Metadata);

internal enum RecorderContainerState
{
    /// <summary>Never started.</summary>
    Created,
    Running,
    Exited,
}

/// <param name="MemoryBytes">Memory of all its processes, without the kernel's page cache.</param>
/// <param name="Cpu">CPU time since its start.</param>
internal sealed record RecorderUsage(long MemoryBytes, TimeSpan Cpu);
