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
/// Takes each bot whose recorder is gone to its end: last words, recording, removal of the container, and only then the
/// terminal status, so that whoever sees it finds everything done. Each step can be repeated; a manager that dies in the
/// middle begins again at the first, and the reconciler enqueues a bot that has not come to its end.
/// </summary>
internal sealed partial class BotFinisher(
    BotStore store,
    BotLeases leases,
    BotFollower follower,
    IRecorderContainers containers,
    RecordingFinalizer finalizer,
    BotRemover remover,
    RetryBackoff postponements,
    BackgroundLoops loops,
    LaunchSignal launches,
    BotMetrics metrics,
    TimeProvider time,
    ILogger<BotFinisher> logger) : BackgroundService
{
    private const int Parallelism = 8;

    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(3);

    private readonly BotWorkQueue _queue = new(logger);
    private readonly ConcurrentDictionary<SessionId, bool> _withAnother = new();

    /// <summary>Takes it to its end, unless that has failed just now and had better wait.</summary>
    public void Enqueue(SessionId id)
    {
        if (!postponements.IsPostponed(id))
            _queue.Enqueue(id);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        loops.RunAsync("end", every: LookAgainAfter, LookAgainAsync, stoppingToken),
        _queue.ProcessAsync(Parallelism, EndOrPostponeAsync, stoppingToken));

    /// <summary>Another manager that has a bot in hand may die of it.</summary>
    private Task LookAgainAsync(CancellationToken cancellation)
    {
        foreach (var id in _withAnother.Keys)
        {
            if (_withAnother.TryRemove(id, out _))
                Enqueue(id);
        }

        return Task.CompletedTask;
    }

    private async Task EndOrPostponeAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            await using var lease = await leases.TryTakeAsync(id, cancellation);
            if (lease is null)
                _withAnother[id] = true;
            else
                await EndAsync(id, lease.Lost);
        }
        catch (FFmpegUnfinishedException exception)
        {
            Log.FFmpegUnfinished(logger, id, postponements.Postpone(id, exception.Message), exception.Message);
        }
        catch (Exception exception) when (exception
            is ContainerEngineException or FFmpegMissingException or IOException || exception.IsRedisAway())
        {
            Log.Postponed(logger, id, exception.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Log.LeaseLost(logger, id);
            _withAnother[id] = true;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            Log.Unexpected(logger, exception, id);
        }
    }

    private async Task EndAsync(SessionId id, CancellationToken cancellation)
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
            || await store.UpdateAsync(id, known => BotLifecycle.EndBegun(known, container?.Exit)) is not { } finalizing)
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

        postponements.Forget(id);
        // Whoever was held up and has lost the bot to another manager may have failed by that alone: its word is not to count.
        cancellation.ThrowIfCancellationRequested();
        await remover.RemoveContainerAsync(finalizing, cancellation);
        if (await store.UpdateAsync(id, known => known.EndsBegun == finalizing.EndsBegun ? end(known) : known) is { } ended)
        {
            if (ended.EndsBegun != finalizing.EndsBegun)
                throw new OperationCanceledException($"Another manager has begun to end bot {id}.");
            step.TagOutcome(ended);
            Log.Ended(logger, id, WireWord.Of(ended.Status), ended.Reason, ended.RecordedSeconds);
        }

        launches.Raise();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Bot {SessionId} is {Status} ({Reason}) with {Seconds:0.0} s recorded")]
        public static partial void Ended(ILogger logger, SessionId sessionId, string status, EndReason? reason, double seconds);

        [LoggerMessage(LogLevel.Error, "The chunks of bot {SessionId} could not be put together and stay where they are: {Why}")]
        public static partial void FinalizationFailed(ILogger logger, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "The lease of bot {SessionId} was lost on the way to its end; whoever takes it next goes on")]
        public static partial void LeaseLost(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Error, "The end of bot {SessionId} met an error that nobody expected and will be tried again")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "The recording of bot {SessionId} waits for an FFmpeg that comes to its end, and is tried again in {Wait}: {Why}")]
        public static partial void FFmpegUnfinished(ILogger logger, SessionId sessionId, TimeSpan wait, string why);

        [LoggerMessage(LogLevel.Warning, "The end of bot {SessionId} has to wait and will be tried again: {Why}")]
        public static partial void Postponed(ILogger logger, SessionId sessionId, string why);
    }
}
