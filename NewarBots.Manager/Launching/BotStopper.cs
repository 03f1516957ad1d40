using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Stops recorders in the background. It sends both the stop command on Redis and SIGTERM, so that one is enough if the other fails. If the
/// manager that accepted a stop request dies, any other manager completes it.
/// </summary>
internal sealed partial class BotStopper(
    IConnectionMultiplexer redis, IRecorderRuntime runtime, BotQueries queries, [FromKeyedServices(RetryBackoff.Stops)] RetryBackoff backoff,
    BackgroundLoops loops, ILogger<BotStopper> logger)
    : BackgroundService
{
    /// <summary>A stop only waits for the recorder, so many can run at once.</summary>
    private const int Parallelism = 64;

    /// <summary>Time until SIGKILL. A recorder leaves, flushes and reports within 10 s of SIGTERM.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    /// <summary>A stop request that two consecutive polls find pending is sent again, so at most twice this later.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    private readonly BotWorkQueue _queue = new(logger);

    /// <summary>Bots whose stop was pending at the last poll.</summary>
    private HashSet<SessionId> _pending = [];

    /// <summary>Stops the bot's recorder if it has one, unless a recent attempt failed and its backoff has not passed. Idempotent.</summary>
    public void Enqueue(SessionId id)
    {
        if (!backoff.IsPostponed(id))
            _queue.Enqueue(id);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        loops.RunAsync("stop", every: PollInterval, RetryPendingAsync, stoppingToken),
        _queue.ProcessAsync(Parallelism, TryStopAsync, stoppingToken));

    private async Task RetryPendingAsync(CancellationToken cancellation)
    {
        try
        {
            var before = _pending;
            _pending = (await queries.UnderWayAsync())
                .Where(bot => bot is { StopRequested: true, AwaitsContainer: false, Status: < BotStatus.Finalizing })
                .Select(bot => bot.Id)
                .ToHashSet();
            backoff.Keep(_pending);
            foreach (var id in _pending.Intersect(before))
                Enqueue(id);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The launcher and the status listener log that Redis is unreachable.
        }
    }

    private async Task TryStopAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            if (await queries.FindAsync(id) is { } bot)
                await StopAsync(bot, cancellation);
            backoff.Forget(id);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            var (cause, why) = await runtime.CauseOfAsync(exception, cancellation);
            // An outage concerns all bots, which stop soon after it.
            var wait = cause is FailureCause.Bot ? backoff.Postpone(id, cause, why) : PollInterval;
            Log.StopFailed(logger, id, wait, exception.Message);
        }
    }

    private async Task StopAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = BotTracing.StartStep("bot stop", bot);
        try
        {
            await redis.GetSubscriber().PublishAsync(
                RedisChannel.Literal(RedisNames.CommandChannel(bot.Id)), RedisNames.StopCommand, CommandFlags.FireAndForget);
            await runtime.StopAsync(bot.Id, Grace, cancellation);
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Stop of bot {SessionId} failed, will retry in {Wait}: {Why}")]
        public static partial void StopFailed(ILogger logger, SessionId sessionId, TimeSpan wait, string why);
    }
}
