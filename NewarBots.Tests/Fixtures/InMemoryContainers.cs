using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// Recorders without an engine, for tests of the logic around them. Like <see cref="ScriptedRecorders"/> each runs the script that is
/// its bot's name, of which only <c>echo</c>, <c>exit</c>, <c>true</c> and <c>trap 'exit N' TERM</c> have an effect. A script that ends with
/// another command runs until it is stopped.
/// </summary>
internal sealed class InMemoryContainers : IRecorderRuntime
{
    private readonly ConcurrentDictionary<SessionId, Container> _containers = new();
    private readonly ConcurrentDictionary<Channel<SessionId>, bool> _watchers = new();

    /// <summary>Thrown by every launch while it is set.</summary>
    public ContainerEngineException? LaunchFailure { get; set; }

    /// <summary>Thrown by every removal while it is set.</summary>
    public ContainerEngineException? RemovalFailure { get; set; }

    /// <summary>Thrown by every listing while it is set.</summary>
    public ContainerEngineException? ListFailure { get; set; }

    /// <summary>The engine does not answer requests about the container of this bot.</summary>
    public SessionId? Hanging { get; set; }

    /// <summary>Stops of that container so far.</summary>
    public int UnansweredStops { get; private set; }

    /// <summary>Shown instead of the state of a container that runs.</summary>
    public (RecorderContainerState State, string Why)? Shown { get; set; }

    /// <summary>The container of this bot cannot be measured.</summary>
    public SessionId? Unmeasurable { get; set; }

    public void Clear() => _containers.Clear();

    public Task LaunchAsync(RecorderContainerSpec spec, CancellationToken cancellation)
    {
        if (LaunchFailure is { } failure)
            throw failure;
        var container = new Container(spec);
        if (_containers.TryAdd(spec.Id, container))
            Run(container);
        return Task.CompletedTask;
    }

    public Task<RecorderContainer?> FindAsync(SessionId id, CancellationToken cancellation) =>
        Task.FromResult(_containers.TryGetValue(id, out var container) ? Observe(container) : null);

    public Task<IReadOnlyList<RecorderContainer>> ListAsync(CancellationToken cancellation) =>
        ListFailure is { } failure ? throw failure : Task.FromResult<IReadOnlyList<RecorderContainer>>([.. _containers.Values.Select(Observe)]);

    public Task StopAsync(SessionId id, TimeSpan grace, CancellationToken cancellation)
    {
        if (id == Hanging)
        {
            UnansweredStops++;
            throw new ContainerEngineException("It does not answer.", ContainerEngineFailure.Unreachable);
        }

        if (_containers.TryGetValue(id, out var container))
            Exit(container, container.ExitCodeOfStop);
        return Task.CompletedTask;
    }

    public Task<RecorderUsage?> MeasureAsync(SessionId id, CancellationToken cancellation) => Task.FromResult(
        id == Unmeasurable ? throw new ContainerEngineException("It cannot be measured.", ContainerEngineFailure.Refused)
        : _containers.TryGetValue(id, out var container) && container.Exit is null ? new RecorderUsage(1024 * 1024, TimeSpan.FromSeconds(1)) : null);

    public async Task CopyLogAsync(SessionId id, Stream destination, CancellationToken cancellation)
    {
        if (_containers.TryGetValue(id, out var container))
            await destination.WriteAsync(Encoding.UTF8.GetBytes(container.Log), cancellation);
    }

    public async Task FollowLogAsync(SessionId id, Stream destination, CancellationToken cancellation)
    {
        await CopyLogAsync(id, destination, cancellation);
        if (_containers.TryGetValue(id, out var container))
            await container.Exited.Task.WaitAsync(cancellation);
    }

    public Task RemoveAsync(SessionId id, CancellationToken cancellation)
    {
        if (RemovalFailure is { } failure)
            throw failure;
        if (_containers.TryRemove(id, out var container))
            Exit(container, 137);
        return Task.CompletedTask;
    }

    public IAsyncEnumerable<SessionId> WatchExitsAsync(CancellationToken cancellation)
    {
        var exits = Channel.CreateUnbounded<SessionId>();
        _watchers[exits] = true;
        return ReadAsync(exits, cancellation);
    }

    private RecorderContainer Observe(Container container) => Shown is var (state, why) && container.Exit is null
        ? container.Observed with { State = state, Why = why }
        : container.Observed;

    private async IAsyncEnumerable<SessionId> ReadAsync(Channel<SessionId> exits, [EnumeratorCancellation] CancellationToken cancellation)
    {
        try
        {
            await foreach (var id in exits.Reader.ReadAllAsync(cancellation))
                yield return id;
        }
        finally
        {
            _watchers.TryRemove(exits, out _);
        }
    }

    private void Run(Container container)
    {
        var assignment = RecorderAssignment.Parse(File.ReadAllText(Path.Combine(container.Spec.SessionFolder, SessionInput.Assignment)));
        var script = assignment.BotName.Split(';', StringSplitOptions.TrimEntries);
        foreach (var command in script)
        {
            if (command.StartsWith("echo ", StringComparison.Ordinal))
                container.Log += $"{command[5..].Replace(" >&2", string.Empty, StringComparison.Ordinal).Trim('\'')}\n";
            else if (command.StartsWith("trap 'exit ", StringComparison.Ordinal))
                container.ExitCodeOfStop = int.Parse(command.Split(' ')[2].Trim('\''), System.Globalization.CultureInfo.InvariantCulture);
        }

        if (script[^1].Split(' ') is ["exit", var code])
            Exit(container, int.Parse(code, System.Globalization.CultureInfo.InvariantCulture));
        else if (script[^1].Split(' ')[0] is "echo" or "true")
            Exit(container, 0);
    }

    private void Exit(Container container, int code)
    {
        if (!container.TryExit(new(code, OutOfMemory: false, TimeProvider.System.GetUtcNow())))
            return;
        foreach (var watcher in _watchers.Keys)
            watcher.Writer.TryWrite(container.Spec.Id);
    }

    private sealed class Container(RecorderContainerSpec spec)
    {
        private RecorderExit? _exit;

        public RecorderContainerSpec Spec => spec;

        /// <summary>128 + SIGTERM, unless the script handles it.</summary>
        public int ExitCodeOfStop { get; set; } = 143;

        public string Log { get; set; } = string.Empty;

        public TaskCompletionSource Exited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public RecorderExit? Exit => Volatile.Read(ref _exit);

        public RecorderContainer Observed => new(
            spec.Id, spec.UserId, Exit is null ? RecorderContainerState.Running : RecorderContainerState.Exited, Exit);

        public bool TryExit(RecorderExit exit)
        {
            if (Interlocked.CompareExchange(ref _exit, exit, null) is not null)
                return false;
            Exited.SetResult();
            return true;
        }
    }
}
