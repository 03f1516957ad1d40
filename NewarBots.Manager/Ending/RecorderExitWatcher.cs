using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Ending;

/// <summary>Notices every recorder that is gone: by the engine's events, and by a look around each time it starts to listen.</summary>
internal sealed partial class RecorderExitWatcher(
    IRecorderContainers containers, BotFinisher ended, BackgroundLoops loops, TimeProvider time, ILogger<RecorderExitWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private TimeSpan _pause = ShortestPause;
    private bool _wasAway;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        // It listens for as long as the engine lets it; that this works, the engine's own health says.
        loops.RunAsync("listen to the engine", TimeSpan.MaxValue, ListenOrPostponeAsync, token => time.WaitAsync(_pause, token), stoppingToken);

    private async Task ListenOrPostponeAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        try
        {
            await ListenAsync(() => _wasAway = false, cancellation);
        }
        catch (ContainerEngineException exception)
        {
            if (!_wasAway)
                Log.EngineAway(logger, exception.Message);
            _wasAway = true;
        }
        finally
        {
            // A connection that is cut off is made anew at once; an engine that stays away is not asked ten times a second.
            _pause = time.GetElapsedTime(begun) > LongestPause ? ShortestPause : TimeSpan.FromTicks(Math.Min(2 * _pause.Ticks, LongestPause.Ticks));
        }
    }

    /// <summary>Listening begins before the look around: what dies in between is seen twice rather than never.</summary>
    private async Task ListenAsync(Action engineAnswered, CancellationToken stoppingToken)
    {
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var hearing = HearAsync(listening.Token);
        try
        {
            foreach (var container in await containers.ListAsync(stoppingToken))
            {
                if (container.State is RecorderContainerState.Exited)
                    ended.Enqueue(container.Id);
            }

            engineAnswered();
        }
        catch
        {
            await listening.CancelAsync();
            await hearing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await hearing;
    }

    private async Task HearAsync(CancellationToken cancellation)
    {
        await foreach (var id in containers.WatchExitsAsync(cancellation))
            ended.Enqueue(id);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Recorders that end cannot be noticed at the moment: {Why}")]
        public static partial void EngineAway(ILogger logger, string why);
    }
}
