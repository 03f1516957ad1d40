using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// The manager's background loops. Each runs until the host stops, even if a turn fails with an unexpected error: a loop that ended
/// silently would only be noticed once a bot is missing.
/// </summary>
internal sealed partial class BackgroundLoops(TimeProvider time, ILogger<BackgroundLoops> logger)
{
    /// <summary>Enough for a loop that runs every few seconds on an overloaded machine.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, LoopTurn> _lastTurns = new();

    /// <summary>The loops whose last successful turn is longer ago than their timeout.</summary>
    public IReadOnlyList<StuckLoop> Stuck =>
    [
        .. from loop in _lastTurns
           let since = time.GetElapsedTime(loop.Value.At)
           where since > loop.Value.Timeout
           orderby loop.Key
           select new StuckLoop(loop.Key, since, loop.Value.Failure),
    ];

    /// <param name="name">The loop's name in <c>/health</c>.</param>
    /// <param name="timeout">The longest time between the ends of two successful turns before the loop counts as stuck.</param>
    /// <param name="turn">One turn; it handles the failures that it expects.</param>
    /// <param name="wait">Waits for the next turn, or for the host to stop.</param>
    /// <param name="stopping">Cancelled when the host stops.</param>
    public async Task RunAsync(
        string name, TimeSpan timeout, Func<CancellationToken, Task> turn, Func<CancellationToken, Task> wait, CancellationToken stopping)
    {
        _lastTurns[name] = new(time.GetTimestamp(), timeout, Failure: null);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await turn(stopping);
                _lastTurns[name] = new(time.GetTimestamp(), timeout, Failure: null);
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
        RunAsync(name, DefaultTimeout, turn, token => time.WaitAsync(every, token), stopping);

    /// <param name="At">The timestamp at the end of the last successful turn.</param>
    /// <param name="Timeout">The loop's timeout.</param>
    /// <param name="Failure">The error of the latest turn, if it failed.</param>
    private sealed record LoopTurn(long At, TimeSpan Timeout, string? Failure);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Unexpected error in the loop '{Loop}', which continues with its next turn")]
        public static partial void Unexpected(ILogger logger, Exception exception, string loop);
    }
}

/// <param name="Name">The loop's name.</param>
/// <param name="Since">The time since its last successful turn.</param>
/// <param name="Failure">The error of its latest turn; <see langword="null"/> if that turn has not returned.</param>
internal sealed record StuckLoop(string Name, TimeSpan Since, string? Failure);

/// <summary>Reports the loops that are stuck.</summary>
internal sealed class BackgroundLoopsHealthCheck(BackgroundLoops loops) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var stuck = loops.Stuck.Select(loop => $"'{loop.Name}' has not succeeded for {loop.Since:hh\\:mm\\:ss}: {loop.Failure ?? "it hangs"}").ToList();
        return Task.FromResult(stuck is [] ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join("; ", stuck)));
    }
}
