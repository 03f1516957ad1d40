using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Launches containers for queued bots (<see cref="LaunchPlan"/>), up to the capacity. If the engine, Redis or the storage is unavailable, the launch is
/// retried with backoff until it succeeds or the bot is stopped. If the engine refuses, the bot fails.
/// </summary>
internal sealed partial class BotLauncher(
    BotQueries queries,
    BotCommands commands,
    BotLeases leases,
    IRecorderRuntime runtime,
    RecorderPreparation preparation,
    BotStopper stopper,
    CompanionAnnouncer announcer,
    LaunchSignal signal,
    RetryBackoff backoff,
    BotMetrics metrics,
    BackgroundLoops loops,
    IOptions<BotCapacityOptions> options,
    TimeProvider time,
    ILogger<BotLauncher> logger) : BackgroundService
{
    /// <summary>The engine creates two to three containers per second, no matter how many requests run in parallel.</summary>
    private const int Parallelism = 4;

    /// <summary>Failed launches of one bot, about four hours of them, while others can be launched.</summary>
    private const int MaxAttempts = 10;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    private readonly BotWorkQueue _queue = new(logger);
    private readonly ConcurrentDictionary<UserId, long> _launches = new();
    private long _launch;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        loops.RunAsync("launch", BackgroundLoops.DefaultTimeout, EnqueueAsync, token => signal.WaitAsync(PollInterval, time, token), stoppingToken),
        _queue.ProcessAsync(Parallelism, TryLaunchAsync, stoppingToken));

    private async Task EnqueueAsync(CancellationToken cancellation)
    {
        try
        {
            var capacity = options.Value.MaxConcurrentBots;
            // Queued bots first: a bot that another manager launches in between is read twice. In the other order it would be missed and its slot reused.
            var queued = await queries.QueuedAsync(atMostOfOneUser: capacity);
            var underWay = await queries.UnderWayAsync();
            foreach (var bot in LaunchPlan.Next([.. queued, .. underWay], capacity, _launches))
            {
                // A bot that was stopped meanwhile ends without a container.
                if (bot.StopRequested || !backoff.IsPostponed(bot.Id))
                    _queue.Enqueue(bot.Id);
            }

            await announcer.AnnounceAsync(underWay);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            Log.QueueUnreadable(logger, exception.Message);
        }
    }

    private async Task TryLaunchAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            // Without the lease, another manager is launching the bot. If that manager dies, the next poll finds the bot unchanged.
            await using var lease = await leases.TryTakeAsync(id, cancellation);
            if (lease is null)
                return;
            try
            {
                await LaunchAsync(id, lease.Lost);
                backoff.Forget(id);
            }
            catch (Exception exception) when (!lease.Lost.IsCancellationRequested && IsLastAttempt(id, exception))
            {
                await FailAsync(id, exception, lease.Lost);
            }
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            Log.WillRetry(logger, id, PollInterval, exception.Message);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            var wait = backoff.Postpone(id, exception);
            if (IsTransient(exception))
                Log.WillRetry(logger, id, wait, exception.Message);
            else
                Log.Unexpected(logger, exception, id, wait);
        }
    }

    private bool IsLastAttempt(SessionId id, Exception exception) =>
        exception is not OperationCanceledException && !IsTransient(exception) && backoff.AttemptsOf(id) + 1 >= MaxAttempts;

    /// <summary>
    /// Ends a bot whose launch failed again and again, for a reason that does not affect other bots. Within the lease: another manager may be about to
    /// launch it otherwise, and its recorder needs what is cleaned up here.
    /// </summary>
    private async Task FailAsync(SessionId id, Exception exception, CancellationToken lost)
    {
        var hasFailed = false;
        var bot = await commands.UpdateAsync(id, known =>
        {
            lost.ThrowIfCancellationRequested();
            var failed = BotLifecycle.LaunchFailed(known, Failures.Explain(exception), time.GetUtcNow());
            hasFailed = failed != known;
            return failed;
        });
        if (bot is not null && hasFailed)
        {
            await CleanUpAsync(bot);
            Log.Failed(logger, exception, id, exception.Message);
        }

        backoff.Forget(id);
    }

    private async Task LaunchAsync(SessionId id, CancellationToken cancellation)
    {
        // Look up the container first, so that the bot stays queued while the engine is unreachable.
        var earlier = await runtime.FindAsync(id, cancellation);
        var wasQueued = false;
        var begun = await commands.UpdateAsync(id, known =>
        {
            wasQueued = known.Status is BotStatus.Queued;
            return BotLifecycle.LaunchBegun(known);
        });
        // The bot may have been enqueued again during its launch. A bot that has its container is not launched twice.
        if (begun is not { Status: BotStatus.Launching, AwaitsContainer: true } bot)
            return;
        _launches[bot.UserId] = Interlocked.Increment(ref _launch);
        if (wasQueued)
            BotTracing.StartStep("bot queue", bot, since: bot.DueAt)?.Dispose();
        if (bot.StopRequested && earlier is null or { State: RecorderContainerState.Created })
        {
            await CleanUpAsync(bot);
            await commands.UpdateAsync(bot.Id, known => BotLifecycle.LaunchAbandoned(known, time.GetUtcNow()));
            return;
        }

        // A manager that crashed may already have started the container. Its recorder may be reading its input files, so leave them.
        if (earlier is null or { State: RecorderContainerState.Created } && !await StartRecorderAsync(bot, cancellation))
            return;

        // A stop requested during the launch found no container to stop.
        if (await commands.UpdateAsync(bot.Id, known => BotLifecycle.Launched(known, time.GetUtcNow())) is { StopRequested: true })
            stopper.Enqueue(id);
    }

    /// <returns><see langword="false"/> if the launch failed for good, and the bot with it.</returns>
    private async Task<bool> StartRecorderAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = BotTracing.StartStep("bot launch", bot);
        var startedAt = time.GetTimestamp();
        try
        {
            await runtime.LaunchAsync(await preparation.PrepareAsync(bot, step?.Id, cancellation), cancellation);
            metrics.Launched(time.GetElapsedTime(startedAt));
            Log.Launched(logger, bot.Id, bot.ContainerName);
            return true;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested && IsTransient(exception))
        {
            step.Fail(exception);
            metrics.NotLaunched(time.GetElapsedTime(startedAt), exception, isTriedAgain: true);
            throw;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            step.Fail(exception);
            metrics.NotLaunched(time.GetElapsedTime(startedAt), exception, isTriedAgain: false);
            Log.Failed(logger, exception, bot.Id, exception.Message);
            await CleanUpAsync(bot);
            await commands.UpdateAsync(bot.Id, known => BotLifecycle.LaunchFailed(known, Failures.Explain(exception), time.GetUtcNow()));
            return false;
        }
    }

    private async Task CleanUpAsync(Bot bot)
    {
        try
        {
            await preparation.UndoAsync(bot);
        }
        catch (Exception exception) when (!exception.IsRedisUnavailable())
        {
            // The cause of the failed launch may affect this too. The bot must end anyway.
            Log.CleanUpFailed(logger, exception, bot.Id, exception.Message);
        }
    }

    private static bool IsTransient(Exception exception) => Failures.CauseOf(exception) is not FailureCause.Bot;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Launched bot {SessionId} in container {Container}")]
        public static partial void Launched(ILogger logger, SessionId sessionId, string container);

        [LoggerMessage(LogLevel.Error, "Launch of bot {SessionId} failed, and the bot with it: {Why}")]
        public static partial void Failed(ILogger logger, Exception exception, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "Cleanup after the failed launch of bot {SessionId} failed. Its folder and Redis user may remain: {Why}")]
        public static partial void CleanUpFailed(ILogger logger, Exception exception, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "Launch of bot {SessionId} failed, will retry in {Wait}: {Why}")]
        public static partial void WillRetry(ILogger logger, SessionId sessionId, TimeSpan wait, string why);

        [LoggerMessage(LogLevel.Error, "Unexpected error while launching bot {SessionId}, will retry in {Wait}")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId, TimeSpan wait);

        [LoggerMessage(LogLevel.Warning, "The queue of bots cannot be read, will retry: {Why}")]
        public static partial void QueueUnreadable(ILogger logger, string why);
    }
}
