using System.Collections.Concurrent;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Ending;

/// <summary>
/// Finishes each bot whose recorder has exited: reads the rest of its journal, makes the recording, removes the container and
/// sets the terminal status last, so that clients that see it find the recording. Every step is idempotent: after a crash the
/// reconciler enqueues the bot again and the steps are repeated from the first.
/// </summary>
internal sealed partial class BotFinisher(
    BotCommands commands,
    BotLeases leases,
    BotFollower follower,
    IRecorderContainers containers,
    RecordingFinalizer finalizer,
    BotRemover remover,
    RetryBackoff backoff,
    BackgroundLoops loops,
    LaunchSignal launches,
    BotMetrics metrics,
    TimeProvider time,
    ILogger<BotFinisher> logger) : BackgroundService
{
    private const int Parallelism = 8;

    private static readonly TimeSpan LeaseRetryInterval = TimeSpan.FromSeconds(3);

    private readonly BotWorkQueue _queue = new(logger);
    private readonly ConcurrentDictionary<SessionId, bool> _leasedElsewhere = new();

    /// <summary>Finishes the bot, unless a recent attempt failed and its backoff has not passed.</summary>
    public void Enqueue(SessionId id)
    {
        if (!backoff.IsPostponed(id))
            _queue.Enqueue(id);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        loops.RunAsync("finish bots", every: LeaseRetryInterval, RetryLeasedElsewhereAsync, stoppingToken),
        _queue.ProcessAsync(Parallelism, FinishOrRetryAsync, stoppingToken));

    /// <summary>The manager that holds the lease may crash before the bot is finished.</summary>
    private Task RetryLeasedElsewhereAsync(CancellationToken cancellation)
    {
        foreach (var id in _leasedElsewhere.Keys)
        {
            if (_leasedElsewhere.TryRemove(id, out _))
                Enqueue(id);
        }

        return Task.CompletedTask;
    }

    private async Task FinishOrRetryAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            await using var lease = await leases.TryTakeAsync(id, cancellation);
            if (lease is null)
                _leasedElsewhere[id] = true;
            else
                await FinishAsync(id, lease.Lost);
        }
        catch (FFmpegUnfinishedException exception)
        {
            Log.FFmpegUnfinished(logger, id, backoff.Postpone(id, exception.Message), exception.Message);
        }
        catch (Exception exception) when (exception
            is ContainerEngineException or FFmpegMissingException or IOException || exception.IsRedisUnavailable())
        {
            Log.WillRetry(logger, id, exception.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Log.LeaseLost(logger, id);
            _leasedElsewhere[id] = true;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            Log.Unexpected(logger, exception, id);
        }
    }

    private async Task FinishAsync(SessionId id, CancellationToken cancellation)
    {
        var container = await containers.FindAsync(id, cancellation);
        if (container is { State: RecorderContainerState.Running } || await follower.FollowAsync(id) is not { } bot)
            return;
        if (container is { State: RecorderContainerState.Created } && bot.AwaitsContainer)
            return;
        if (bot.Status.IsTerminal())
        {
            await remover.RemoveContainerAsync(bot, cancellation);
            return;
        }

        if (await follower.ReadJournalAsync(bot) is null
            || await commands.UpdateAsync(id, known => BotLifecycle.FinalizationBegun(known, container?.Exit)) is not { } finalizing)
            return;
        using var step = BotTracing.StartStep("bot end", finalizing);
        step.TagOutcome(finalizing);
        Func<Bot, Bot> end;
        var begun = time.GetTimestamp();
        try
        {
            var result = await finalizer.FinalizeAsync(finalizing, cancellation);
            metrics.Finalized(time.GetElapsedTime(begun), result);
            end = known => BotLifecycle.Finalized(known, result, time.GetUtcNow());
        }
        catch (FinalizationException exception)
        {
            step.Fail(exception);
            metrics.NotFinalized(time.GetElapsedTime(begun), exception);
            Log.FinalizationFailed(logger, id, exception.Message);
            end = known => BotLifecycle.FinalizationFailed(known, exception.Message, time.GetUtcNow());
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            throw;
        }

        backoff.Forget(id);
        // If the lease was lost, another manager may have moved the chunks and caused this failure: its result counts, not this one.
        cancellation.ThrowIfCancellationRequested();
        await remover.RemoveContainerAsync(finalizing, cancellation);
        if (await commands.UpdateAsync(id, known => known.FinalizationAttempt == finalizing.FinalizationAttempt ? end(known) : known) is { } ended)
        {
            if (ended.FinalizationAttempt != finalizing.FinalizationAttempt)
                throw new OperationCanceledException($"Another manager has started to finish bot {id}.");
            step.TagOutcome(ended);
            Log.Ended(logger, id, WireWord.Of(ended.Status), ended.Reason, ended.RecordedSeconds);
        }

        launches.Raise();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Bot {SessionId} is {Status} ({Reason}) with {Seconds:0.0} s recorded")]
        public static partial void Ended(ILogger logger, SessionId sessionId, string status, EndReason? reason, double seconds);

        [LoggerMessage(LogLevel.Error, "Finalizing the recording of bot {SessionId} failed, its chunks are kept: {Error}")]
        public static partial void FinalizationFailed(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Warning, "Lost the lease while finishing bot {SessionId}, the next manager that takes the lease will finish it")]
        public static partial void LeaseLost(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Error, "Unexpected error while finishing bot {SessionId}, will retry")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "FFmpeg was killed or timed out on the recording of bot {SessionId}, will retry in {Wait}: {Error}")]
        public static partial void FFmpegUnfinished(ILogger logger, SessionId sessionId, TimeSpan wait, string error);

        [LoggerMessage(LogLevel.Warning, "Finishing bot {SessionId} failed, will retry: {Error}")]
        public static partial void WillRetry(ILogger logger, SessionId sessionId, string error);
    }
}
