using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>
/// Runs recorders in containers, one per bot: a Docker engine or a Kubernetes cluster. The container's name follows from the session id alone, so that two launches
/// cannot create two containers. Every method throws <see cref="ContainerEngineException"/> if the engine fails.
/// </summary>
internal interface IRecorderRuntime
{
    /// <summary>
    /// Creates and starts the bot's container. A container that exists already is from an earlier, interrupted launch: it is started if it
    /// never was, and otherwise left as it is.
    /// </summary>
    Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation);

    /// <returns><see langword="null"/> if the bot has no container.</returns>
    Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation);

    /// <summary>All recorders of this stack, in any state, at most one of each session. How they exited is unknown (<see cref="FindAsync"/>).</summary>
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
    /// <returns><see langword="null"/> if the container is not running, or the runtime cannot measure it.</returns>
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

/// <summary>One recorder's container, whatever runs it.</summary>
/// <param name="Id">The session.</param>
/// <param name="UserId">Owner of the bot.</param>
/// <param name="Environment">Variables of a <see cref="RecorderEnvironment"/>.</param>
/// <param name="SessionFolder">
/// The bot's own folder by the manager's path, with its <see cref="RecorderAssignment"/>: the only mount, at
/// <see cref="RecorderEnvironment.SessionFolderInContainer"/>.
/// </param>
internal sealed record RecorderContainerSpec(SessionId Id, UserId UserId, IReadOnlyDictionary<string, string> Environment, string SessionFolder)
{
    public string Name => RecorderContainerName.Of(Id);
}

/// <summary>The observed state of a recorder's container.</summary>
/// <param name="Id">From its label.</param>
/// <param name="UserId">From its label.</param>
/// <param name="State">As the runtime saw it last.</param>
/// <param name="Exit">How it exited; <see langword="null"/> in lists, and if the engine cannot tell.</param>
/// <param name="Why">Why it is pending, or its state unknown, as one sentence for a user.</param>
internal sealed record RecorderContainer(SessionId Id, UserId UserId, RecorderContainerState State, RecorderExit? Exit = null, string? Why = null)
{
    /// <summary>Its recorder runs, or may run now or later.</summary>
    public bool MayRun => State is RecorderContainerState.Pending or RecorderContainerState.Running or RecorderContainerState.Unknown;
}

internal enum RecorderContainerState
{
    /// <summary>Launching it was interrupted, and it has never started. Launching it again starts it.</summary>
    Created,

    /// <summary>It is launched, and starts as soon as it can: it waits for a node, its image or its storage.</summary>
    Pending,

    Running,

    Exited,

    /// <summary>Its machine does not answer, so it may run or not.</summary>
    Unknown,
}

/// <param name="MemoryBytes">Memory of all its processes, without the kernel's page cache.</param>
/// <param name="Cpu">CPU time since its start.</param>
internal sealed record RecorderUsage(long MemoryBytes, TimeSpan Cpu);
