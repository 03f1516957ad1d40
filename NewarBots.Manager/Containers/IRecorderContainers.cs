using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The engine that runs recorders: one container a bot, named by its session id alone, so that launching twice can never make
/// two. Broken infrastructure throws <see cref="ContainerEngineException"/>.
/// </summary>
internal interface IRecorderContainers
{
    /// <summary>
    /// Makes and starts the bot's container. Where one of that name exists already it is the bot's own from an earlier,
    /// interrupted launch: it is started if it has never been, and left as it is otherwise.
    /// </summary>
    Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation);

    /// <returns><see langword="null"/> where the engine knows no container of this bot.</returns>
    Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation);

    /// <summary>What the bot's container was made with.</summary>
    /// <returns><see langword="null"/> where there is no container, or none that a recorder could have been started with.</returns>
    Task<RecorderOrigin?> FindOriginAsync(SessionId id, CancellationToken cancellation);

    /// <summary>All recorders of this stack, whatever their state.</summary>
    Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation);

    /// <summary>SIGTERM, then SIGKILL after <paramref name="grace"/>. Nothing happens where it does not run.</summary>
    Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation);

    /// <summary>What the bot's container uses at the moment.</summary>
    /// <returns><see langword="null"/> where it does not run.</returns>
    Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation);

    /// <summary>Writes what the container printed, both streams merged, as text. Nothing is written where there is no container.</summary>
    Task CopyLogAsync(SessionId id, Stream destination, CancellationToken cancellation);

    /// <summary>
    /// Writes what the container has printed and what it prints, until it ends. Nothing is written where there is no container.
    /// </summary>
    Task FollowLogAsync(SessionId id, Stream destination, CancellationToken cancellation);

    /// <summary>Removes the container, running or not. Nothing happens where there is none.</summary>
    Task RemoveAsync(SessionId id, CancellationToken cancellation);

    /// <summary>
    /// The session ids of recorders as they die, from the moment of the call until the engine's connection ends, which ends
    /// the sequence by a <see cref="ContainerEngineException"/>. Whoever listens again first lists what was missed.
    /// </summary>
    IAsyncEnumerable<SessionId> WatchExitsAsync(CancellationToken cancellation);
}

/// <summary>A recorder's container as the engine sees it.</summary>
/// <param name="Id">From its label.</param>
/// <param name="UserId">From its label.</param>
/// <param name="State">Created, running or exited.</param>
/// <param name="Exit">How it ended, once it did.</param>
internal sealed record RecorderContainer(SessionId Id, UserId UserId, RecorderContainerState State, RecorderExit? Exit = null);

/// <summary>All that a bot is, as its container remembers it.</summary>
internal sealed record RecorderOrigin(RecorderEnvironment Environment, IReadOnlyDictionary<string, string> Metadata);

internal enum RecorderContainerState
{
    /// <summary>Made and never started.</summary>
    Created,
    Running,
    Exited,
}

/// <param name="MemoryBytes">All its processes, without what the kernel merely caches for them.</param>
/// <param name="Cpu">Time that it kept CPUs busy since it was started.</param>
internal sealed record RecorderUsage(long MemoryBytes, TimeSpan Cpu);

/// <summary>The engine could not be reached, or refused. The message is one line for an operator.</summary>
internal sealed class ContainerEngineException(string message, ContainerEngineFailure failure, Exception? inner = null)
    : Exception(message, inner), IErrorType
{
    public ContainerEngineFailure Failure { get; } = failure;

    public string ErrorType => JsonNamingPolicy.SnakeCaseLower.ConvertName(Failure.ToString());
}

internal enum ContainerEngineFailure
{
    /// <summary>No answer: it may come back, so whoever asked tries again.</summary>
    Unreachable,

    /// <summary>The recorder image is not there; the message holds the command that builds it.</summary>
    ImageMissing,

    /// <summary>The engine answered with an error that asking again will not mend.</summary>
    Refused,
}
