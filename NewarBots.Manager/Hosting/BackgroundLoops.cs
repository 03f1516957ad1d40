using System.Collections.Concurrent;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// The manager's loops in the background. Each turns again and again until the end of the host, whatever one turn meets: a loop that
/// died of it would be missed by nobody until a bot is.
/// </summary>
internal sealed partial class BackgroundLoops(TimeProvider time, ILogger<BackgroundLoops> logger)
{
    /// <summary>Enough for a loop that looks every few seconds, on a bad day.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, LoopTurn> _lastTurns = new();

    /// <summary>The loops that have not come through a turn for longer than they may.</summary>
    public IReadOnlyList<StuckLoop> Stuck =>
    [
        .. from loop in _lastTurns
           let since = time.GetElapsedTime(loop.Value.At)
           where since > loop.Value.Patience
           orderby loop.Key
           select new StuckLoop(loop.Key, since, loop.Value.Failure),
    ];

    /// <param name="name">What it does, as it stands in <c>/health</c>.</param>
    /// <param name="patience">How long it may be from the end of one turn that succeeds to that of the next.</param>
    /// <param name="turn">One turn. What it expects to fail, it deals with itself.</param>
    /// <param name="wait">Lasts until the next one, or the end of the host.</param>
    /// <param name="stopping">The end of the host.</param>
    public async Task RunAsync(
        string name, TimeSpan patience, Func<CancellationToken, Task> turn, Func<CancellationToken, Task> wait, CancellationToken stopping)
    {
        _lastTurns[name] = new(time.GetTimestamp(), patience, Failure: null);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await turn(stopping);
                _lastTurns[name] = new(time.GetTimestamp(), patience, Failure: null);
            }
            catch (Exception exception) when (!stopping.IsCancellationRequested)
            {
                Log.Unexpected(logger, exception, name);
                _lastTurns[name] = _lastTurns[name] with { Failure = exception.Message };
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }

            await wait(stopping);
        }
    }

    /// <inheritdoc cref="RunAsync(string, TimeSpan, Func{CancellationToken, Task}, Func{CancellationToken, Task}, CancellationToken)"/>
    public Task RunAsync(string name, TimeSpan every, Func<CancellationToken, Task> turn, CancellationToken stopping) =>
        RunAsync(name, Patience, turn, token => time.WaitAsync(every, token), stopping);

    /// <param name="At">When the last one that succeeded was over: a timestamp.</param>
    /// <param name="Patience">For so long that is good.</param>
    /// <param name="Failure">What has failed since.</param>
    private sealed record LoopTurn(long At, TimeSpan Patience, string? Failure);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The loop '{Loop}' met an error that nobody expected, and goes on")]
        public static partial void Unexpected(ILogger logger, Exception exception, string loop);
    }
}

/// <param name="Name">What it does.</param>
/// <param name="Since">For so long it has not come through a turn.</param>
/// <param name="Failure">What it has failed by since; <see langword="null"/>: it hangs.</param>
internal sealed record StuckLoop(string Name, TimeSpan Since, string? Failure);
