using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Gives queued bots their containers, in order of arrival, as far as there is room. A launch that finds the engine or Redis
/// away is tried again until it succeeds or the bot is stopped; one that the engine refuses fails the bot.
/// </summary>
internal sealed partial class BotLauncher(
    BotQueries queries,
    BotCommands commands,
    BotLeases leases,
    IRecorderContainers containers,
    RecorderPreparation preparation,
    BotStopper stopper,
    LaunchSignal signal,
    BotMetrics metrics,
    BackgroundLoops loops,
    IOptions<BotCapacityOptions> options,
    TimeProvider time,
    ILogger<BotLauncher> logger) : BackgroundService
{
    /// <summary>The engine makes two to three containers a second, however many are asked for at once.</summary>
    private const int Parallelism = 4;

    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(2);

    private readonly BotWorkQueue _queue = new(logger);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        loops.RunAsync("launch", BackgroundLoops.Patience, EnqueueAsync, token => signal.WaitAsync(LookAgainAfter, time, token), stoppingToken),
        _queue.ProcessAsync(Parallelism, LaunchOrPostponeAsync, stoppingToken));

    private async Task EnqueueAsync(CancellationToken cancellation)
    {
        try
        {
            var places = options.Value.MaxConcurrentBots;
            // In this order, one that another manager launches in between is seen twice; in the other it would be missed, and its place given away.
            var queued = await queries.QueuedAsync(places);
            foreach (var bot in LaunchPlan.Next([.. queued, .. await queries.UnderWayAsync()], places))
                _queue.Enqueue(bot.Id);
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            Log.QueueUnreadable(logger, exception.Message);
        }
    }

    private async Task LaunchOrPostponeAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            // Where another manager has it in hand and dies of it, the next look finds the bot where it was.
            await using var lease = await leases.TryTakeAsync(id, cancellation);
            if (lease is not null)
                await LaunchAsync(id, lease.Lost);
        }
        catch (Exception exception) when (exception is ContainerEngineException || exception.IsRedisAway())
        {
            Log.Postponed(logger, id, exception.Message);
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            Log.Postponed(logger, id, exception.Message);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            Log.Unexpected(logger, exception, id);
        }
    }

    private async Task LaunchAsync(SessionId id, CancellationToken cancellation)
    {
        // Asked first, so that a bot stays queued while the engine is away.
        var earlier = await containers.FindAsync(id, cancellation);
        var wasQueued = false;
        var begun = await commands.UpdateAsync(id, known =>
        {
            wasQueued = known.Status is BotStatus.Queued;
            return BotLifecycle.LaunchBegun(known);
        });
        // Who asked for this look may have done so while the bot was in hand: one that has its container is not launched twice.
        if (begun is not { Status: BotStatus.Launching, AwaitsContainer: true } bot)
            return;
        if (wasQueued)
            BotTracing.StartStep("bot queue", bot, since: bot.DueAt)?.Dispose();
        if (bot.StopRequested && earlier is null or { State: RecorderContainerState.Created })
        {
            await WithdrawAsync(bot);
            await commands.UpdateAsync(bot.Id, known => BotLifecycle.LaunchAbandoned(known, time.GetUtcNow()));
            return;
        }

        // Nor is one whose container a manager started and did not live to say so: its recorder may be reading what was laid for it.
        if (earlier is null or { State: RecorderContainerState.Created } && !await TryStartAsync(bot, cancellation))
            return;

        // Stop may have been asked for in between, when there was no container to stop yet.
        if (await commands.UpdateAsync(bot.Id, known => BotLifecycle.Launched(known, time.GetUtcNow())) is { StopRequested: true })
            stopper.Enqueue(id);
    }

    /// <returns><see langword="false"/> where the engine refuses it for good, and the bot has failed by it.</returns>
    private async Task<bool> TryStartAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = BotTracing.StartStep("bot launch", bot);
        var begunAt = time.GetTimestamp();
        try
        {
            await containers.LaunchAsync(await preparation.PrepareAsync(bot, step?.Id, cancellation), cancellation);
            metrics.Launched(time.GetElapsedTime(begunAt));
            Log.Launched(logger, bot.Id, bot.ContainerName);
            return true;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested && MayPass(exception))
        {
            step.Fail(exception);
            metrics.NotLaunched(time.GetElapsedTime(begunAt), exception, isTriedAgain: true);
            throw;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            step.Fail(exception);
            metrics.NotLaunched(time.GetElapsedTime(begunAt), exception, isTriedAgain: false);
            Log.Failed(logger, exception, bot.Id, exception.Message);
            await WithdrawAsync(bot);
            await commands.UpdateAsync(bot.Id, known => BotLifecycle.LaunchFailed(known, exception.Message, time.GetUtcNow()));
            return false;
        }
    }

    private async Task WithdrawAsync(Bot bot)
    {
        try
        {
            await preparation.WithdrawAsync(bot);
        }
        catch (Exception exception) when (!exception.IsRedisAway())
        {
            // What failed the launch may stand in the way here too; the bot ends all the same.
            Log.NotWithdrawn(logger, exception, bot.Id, exception.Message);
        }
    }

    private static bool MayPass(Exception exception) =>
        exception is ContainerEngineException { Failure: ContainerEngineFailure.Unreachable } || exception.IsRedisAway();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Launched bot {SessionId} in container {Container}")]
        public static partial void Launched(ILogger logger, SessionId sessionId, string container);

        [LoggerMessage(LogLevel.Error, "Bot {SessionId} could not be launched: {Why}")]
        public static partial void Failed(ILogger logger, Exception exception, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "What was made ready for bot {SessionId}, which gets no container, cannot be taken back: {Why}")]
        public static partial void NotWithdrawn(ILogger logger, Exception exception, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "The launch of bot {SessionId} has to wait and will be tried again: {Why}")]
        public static partial void Postponed(ILogger logger, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Error, "The launch of bot {SessionId} met an error that nobody expected and will be tried again")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "The queue of bots cannot be read at the moment: {Why}")]
        public static partial void QueueUnreadable(ILogger logger, string why);
    }
}
