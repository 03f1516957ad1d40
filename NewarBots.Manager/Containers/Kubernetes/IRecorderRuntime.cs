using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>The engine that runs recorders, one per bot. Every method throws <see cref="ContainerEngineException"/> if the engine fails.</summary>
internal interface IRecorderRuntime
{
    /// <summary>Creates and starts the bot's container. Idempotent by name.</summary>
    Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation);

    /// <returns><see langword="null"/> if the bot has no container.</returns>
    Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation);

    /// <summary>All recorders of this stack, in any state.</summary>
    Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation);

    /// <summary>Sends SIGTERM, then SIGKILL after <paramref name="grace"/>. The container stays.</summary>
    Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation);

    /// <returns><see langword="null"/> if the usage cannot be known.</returns>
    Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation);

    /// <summary>Writes the container's output so far. Writes nothing if there is no container.</summary>
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
/// <param name="Id">The bot.</param>
/// <param name="UserId">Its owner.</param>
/// <param name="Environment">Settings of the host only, and no secret.</param>
/// <param name="SessionFolder">The bot's own folder by the manager's path: the only mount.</param>
internal sealed record RecorderContainerSpec(SessionId Id, UserId UserId, IReadOnlyDictionary<string, string> Environment, string SessionFolder);

/// <summary>The observed state of a recorder's container.</summary>
/// <param name="Id">The bot.</param>
/// <param name="UserId">Its owner.</param>
/// <param name="State">The state.</param>
/// <param name="Exit">How it exited, if the engine can tell.</param>
/// <param name="Why">The cause of a state that is pending or unknown.</param>
internal sealed record RecorderContainer(SessionId Id, UserId UserId, RecorderContainerState State, RecorderExit? Exit = null, string? Why = null);

internal enum RecorderContainerState
{
    /// <summary>Never started.</summary>
    Created,

    /// <summary>It waits for a node, its image or its mount.</summary>
    Pending,
    Running,
    Exited,

    /// <summary>Its node is not ready. It may still run.</summary>
    Unknown,
}
