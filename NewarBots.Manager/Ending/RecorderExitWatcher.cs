using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Ending;

/// <summary>Enqueues every bot whose container has exited: watches the engine's events, and lists all containers at each reconnect.</summary>
internal sealed partial class RecorderExitWatcher(
    IRecorderRuntime runtime, BotFinisher finisher, BackgroundLoops loops, TimeProvider time, ILogger<RecorderExitWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    private TimeSpan _delay = ShortestDelay;
    private bool _isUnavailable;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        // One turn lasts as long as the connection, so it has no timeout. The health check of the engine reports a broken connection.
        loops.RunAsync("watch container exits", TimeSpan.MaxValue, WatchOrRetryAsync, token => time.WaitAsync(_delay, token), stoppingToken);

    private async Task WatchOrRetryAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        try
        {
            await WatchAsync(() => _isUnavailable = false, cancellation);
        }
        catch (ContainerEngineException exception)
        {
            Unavailable(exception);
        }
        finally
        {
            // A dropped connection is reopened at once; while the engine is unavailable, the delay doubles.
            _delay = time.GetElapsedTime(begun) > LongestDelay ? ShortestDelay : TimeSpan.FromTicks(Math.Min(2 * _delay.Ticks, LongestDelay.Ticks));
        }
    }

    /// <summary>Watching starts before listing: a container that exits in between is enqueued twice rather than never.</summary>
    private async Task WatchAsync(Action engineAnswered, CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var watching = EnqueueExitsAsync(stop.Token);
        var listing = EnqueueExitedAsync(engineAnswered, stop.Token);
        try
        {
            await await Task.WhenAny(watching, listing);
            await watching;
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(watching, listing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Unavailable(ContainerEngineException exception)
    {
        if (!_isUnavailable)
            Log.EngineUnavailable(logger, exception.Message);
        _isUnavailable = true;
    }

    /// <summary>A list that fails is repeated. Meanwhile, the subscription still reports exits.</summary>
    private async Task EnqueueExitedAsync(Action engineAnswered, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                foreach (var container in await runtime.ListAsync(cancellation))
                {
                    if (container.State is RecorderContainerState.Exited)
                        finisher.Enqueue(container.Id);
                }

                engineAnswered();
                return;
            }
            catch (ContainerEngineException exception)
            {
                Unavailable(exception);
                await time.WaitAsync(LongestDelay, cancellation);
            }
        }
    }

    private async Task EnqueueExitsAsync(CancellationToken cancellation)
    {
        await foreach (var id in runtime.WatchExitsAsync(cancellation))
            finisher.Enqueue(id);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Watching container exits failed, will retry: {Error}")]
        public static partial void EngineUnavailable(ILogger logger, string error);
    }
}
