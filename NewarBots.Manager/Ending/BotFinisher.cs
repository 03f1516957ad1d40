using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
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
/// reconciler enqueues the bot again and the steps are repeated from the first. A failed attempt is counted in the record and retried with
/// backoff; after <see cref="FinalizingOptions.MaxAttempts"/> the bot ends with what was recovered.
/// </summary>
internal sealed partial class BotFinisher(
    BotQueries queries,
    BotCommands commands,
    BotLeases leases,
    BotFollower follower,
    IRecorderRuntime runtime,
    RecordingFinalizer finalizer,
    BotRemover remover,
    StorageLayout storage,
    StorageCheck storageCheck,
    FailureDiagnosis diagnosis,
    RetryBackoff backoff,
    FailedFinalizations failures,
    FinalizationTurns turns,
    ClockSetBack clock,
    BackgroundLoops loops,
    LaunchSignal launches,
    BotMetrics metrics,
    IOptions<FinalizingOptions> options,
    TimeProvider time,
    ILogger<BotFinisher> logger) : BackgroundService
{
    /// <summary>Appended to the error of a bot that ended without its recording.</summary>
    private const string ChunksKept = "The recorded audio is kept; POST /bots/{id}/finalize tries again.";

    /// <summary>Appended to the error of a bot that is over its budget.</summary>
    private const string ChunksKeptAside =
        "The recorded audio is kept in the folder that ends in .damaged, beside the recordings; POST /bots/{id}/finalize tries again with it, within the same limits.";

    private const int Parallelism = 8;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan FirstTurn = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan FirstTurnPerHour = TimeSpan.FromSeconds(10);

    private readonly BotWorkQueue _queue = new(logger);
    private readonly ConcurrentDictionary<SessionId, bool> _leasedElsewhere = new();

    /// <summary>Bots whose end this manager retries.</summary>
    private readonly ConcurrentDictionary<SessionId, bool> _failed = new();

    /// <summary>Finishes the bot, unless a recent attempt failed and its backoff has not passed.</summary>
    public void Enqueue(SessionId id)
    {
        if (!backoff.IsPostponed(id))
            _queue.Enqueue(id);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        turns.Due = _queue.Enqueue;
        return Task.WhenAll(
            loops.RunAsync("finish bots", every: RetryInterval, EnqueueDueAsync, stoppingToken),
            _queue.ProcessAsync(Parallelism, TryFinishAsync, stoppingToken));
    }

    /// <summary>Retries what is due, and bots leased elsewhere: the manager that holds the lease may crash before the bot is finished.</summary>
    private Task EnqueueDueAsync(CancellationToken cancellation)
    {
        foreach (var id in _leasedElsewhere.Keys)
        {
            if (_leasedElsewhere.TryRemove(id, out _))
                Enqueue(id);
        }

        foreach (var id in _failed.Keys)
        {
            if (backoff.AttemptsOf(id) == 0)
                _failed.TryRemove(id, out _);
            else
                Enqueue(id);
        }

        return Task.CompletedTask;
    }

    private async Task TryFinishAsync(SessionId id, CancellationToken cancellation)
    {
        var waitsForTurn = false;
        try
        {
            await using var lease = await leases.TryTakeAsync(id, cancellation);
            if (lease is null)
                _leasedElsewhere[id] = true;
            else
                waitsForTurn = !await FinishAsync(id, lease.Lost);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Log.LeaseLost(logger, id);
            _leasedElsewhere[id] = true;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // Whether the recorder has exited is unknown, so nothing is counted in the record.
            metrics.EndPostponed(Failures.CauseOf(exception));
            Postponed(id, exception, backoff.Postpone(id, exception));
        }
        finally
        {
            if (!waitsForTurn)
                turns.Forget(id);
        }
    }

    /// <returns>Whether this attempt is over; <see langword="false"/> if the bot waits for its turn.</returns>
    private async Task<bool> FinishAsync(SessionId id, CancellationToken cancellation)
    {
        var container = await runtime.FindAsync(id, cancellation);
        if (container is { MayRun: true })
        {
            backoff.Forget(id);
            return true;
        }

        if (await queries.FindAsync(id) is not { } bot || (container is { State: RecorderContainerState.Created } && bot.AwaitsContainer))
        {
            backoff.Forget(id);
            return true;
        }

        if (bot.FailedEnd is { Error: { } why } failed && backoff.AttemptsOf(id) is > 0 and var known && failed.Attempts > known)
        {
            // Another manager has tried since.
            backoff.Postpone(id, failed.Attempts, failed.Cause ?? FailureCause.Bot, why);
            return true;
        }

        try
        {
            if (!await EndAsync(id, container, cancellation))
                return false;
            backoff.Forget(id);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            await CountFailureAsync(bot, container, exception, cancellation);
        }

        return true;
    }

    /// <returns>Whether the bot has ended; <see langword="false"/> if it waits for its turn.</returns>
    private async Task<bool> EndAsync(SessionId id, RecorderContainer? container, CancellationToken cancellation)
    {
        if (await follower.ReadToEndAsync(id) is not { } bot)
            return true;
        if (bot.Status.IsTerminal())
        {
            await remover.RemoveContainerAsync(bot, cancellation);
            remover.ForgetLaunch(bot);
            return true;
        }

        var lived = TimeOf(bot, container);
        using var turn = turns.TryBegin(id, bot.UserId, FirstTurn + FirstTurnPerHour * lived.TotalHours, work: lived.TotalSeconds * FilesOf(bot));
        if (turn is null && bot.Status is BotStatus.Finalizing)
            return false;
        if (await commands.UpdateAsync(id, known => BotLifecycle.FinalizationBegun(known, container?.Exit)) is not { } finalizing)
            return true;
        if (turn is null)
            return false;
        using var interruption = CancellationTokenSource.CreateLinkedTokenSource(cancellation, turn.Interruption);
        using var step = BotTracing.StartStep("bot end", finalizing);
        step.TagOutcome(finalizing);
        Func<Bot, Bot> end;
        var begun = time.GetTimestamp();
        try
        {
            await FreeStorageAsync(finalizing, cancellation);
            var result = await finalizer.FinalizeAsync(finalizing, interruption.Token);
            metrics.Finalized(time.GetElapsedTime(begun), result);
            end = known => BotLifecycle.Finalized(known, result, time.GetUtcNow());
        }
        catch (OperationCanceledException) when (turn.IsInterrupted && !cancellation.IsCancellationRequested)
        {
            turn.WillContinue = true;
            Log.Interrupted(logger, id, time.GetElapsedTime(begun));
            return false;
        }
        catch (FinalizationException exception)
        {
            step.Fail(exception);
            metrics.NotFinalized(time.GetElapsedTime(begun), exception);
            Log.FinalizationFailed(logger, id, exception.Message);
            if (exception is FinalizationBudgetException)
                metrics.OverBudget();
            var kept = exception is FinalizationBudgetException ? ChunksKeptAside : ChunksKept;
            end = known => BotLifecycle.FinalizationFailed(known, $"{exception.Explanation} {kept}", time.GetUtcNow());
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            throw;
        }

        // If the lease was lost, another manager may have moved the chunks and caused this failure: its result counts, not this one.
        cancellation.ThrowIfCancellationRequested();
        // The engine may take a minute for one container. Other bots need not wait for that.
        turn.Dispose();
        await remover.RemoveContainerAsync(finalizing, cancellation);
        if (await SetEndAsync(finalizing, end) is { } ended)
            step.TagOutcome(ended);
        return true;
    }

    /// <summary>The time that the bot has had, whatever its recorder says.</summary>
    private TimeSpan TimeOf(Bot bot, RecorderContainer? container)
    {
        var lived = (container?.Exit?.FinishedAt ?? time.GetUtcNow()) - (bot.LaunchedAt ?? bot.DueAt);
        return TimeSpan.FromHours(Math.Clamp(lived.TotalHours, 0, CreateBotRequest.MaxDuration.TotalHours));
    }

    /// <summary>The mix and the tracks.</summary>
    private int FilesOf(Bot bot)
    {
        try
        {
            return 1 + (SessionFolder.Find(storage, bot.UserId, bot.Id)?.Tracks().Count ?? 0);
        }
        catch (FinalizationException)
        {
            // The folder cannot be opened, which ends the bot in its turn.
            return 1;
        }
    }

    /// <summary>If the storage cannot take the recording, deletes what the recorder wrote beyond what a recording needs.</summary>
    /// <exception cref="FinalizationException">The session folder cannot be opened.</exception>
    private async Task FreeStorageAsync(Bot bot, CancellationToken cancellation)
    {
        if (await storageCheck.FindFaultAsync(cancellation) is not { } fault)
            return;
        var freed = SessionFolder.Find(storage, bot.UserId, bot.Id)?.Free(RecordingBudget.Of(bot, time.GetUtcNow(), clock.Total)) ?? 0;
        if (freed > 0)
            Log.Freed(logger, bot.Id, freed, fault);
    }

    /// <param name="finalizing">The bot at the beginning of this attempt.</param>
    /// <param name="end">Sets its terminal status.</param>
    /// <exception cref="OperationCanceledException">Another manager has begun another attempt.</exception>
    private async Task<Bot?> SetEndAsync(Bot finalizing, Func<Bot, Bot> end)
    {
        var id = finalizing.Id;
        if (await commands.UpdateAsync(id, known => known.FinalizationAttempt == finalizing.FinalizationAttempt ? end(known) : known) is not { } ended)
            return null;
        if (ended.FinalizationAttempt != finalizing.FinalizationAttempt)
            throw new OperationCanceledException($"Another manager has started to finish bot {id}.");
        Log.Ended(logger, id, WireWord.Of(ended.Status), ended.Reason, ended.RecordedSeconds);
        if (ended.CanBeFinalizedAgain)
            failures.Add(id, ended.Error!);
        remover.ForgetLaunch(ended);
        launches.Raise();
        return ended;
    }

    /// <param name="before">The bot before this attempt.</param>
    /// <param name="container">Its container, if it exists.</param>
    /// <param name="exception">Why the attempt failed.</param>
    /// <param name="cancellation">Keeps the bot from being given up.</param>
    /// <exception cref="OperationCanceledException">Another manager has begun another attempt.</exception>
    private async Task CountFailureAsync(Bot before, RecorderContainer? container, Exception exception, CancellationToken cancellation)
    {
        var id = before.Id;
        var (cause, why) = await diagnosis.CauseOfAsync(exception, cancellation);
        metrics.EndPostponed(cause);
        Bot? bot = null;
        try
        {
            bot = await commands.UpdateAsync(id, known => IsTakenOver(known) ? known : BotLifecycle.EndFailed(known, why, cause, time.GetUtcNow()));
        }
        catch (Exception failure) when (failure.IsRedisUnavailable())
        {
            // Counted in memory only.
        }

        if (bot is not null && IsTakenOver(bot))
            throw new OperationCanceledException($"Another manager has started to finish bot {id}.", exception);
        if (bot?.FailedEnd is { } failed && IsHopeless(failed))
        {
            Log.GivesUp(logger, exception, id, failed.Attempts, exception.Message);
            await GiveUpAsync(bot, container, cancellation);
            return;
        }

        var attempts = Math.Max(bot?.FailedEnd?.Attempts ?? 0, backoff.AttemptsOf(id) + 1);
        Postponed(id, exception, backoff.Postpone(id, attempts, cause, why));

        bool IsTakenOver(Bot known) => known.FinalizationAttempt > before.FinalizationAttempt + 1;
    }

    /// <summary>
    /// The bot's own failures are counted. An outage must last, and must also have been found by many attempts, because the wall clock may have jumped. A
    /// failure in an outage does not end a bot whose own failures were too few.
    /// </summary>
    private bool IsHopeless(FailedEnd failed) => failed.Cause is null or FailureCause.Bot
        ? failed.Counted >= options.Value.MaxAttempts
        : failed.Attempts >= options.Value.MaxAttempts && time.GetUtcNow() - failed.Since > options.Value.OutageTimeout;

    /// <summary>Ends a bot with the recording that an earlier attempt has published, or else without one. Its chunks are kept.</summary>
    private async Task GiveUpAsync(Bot bot, RecorderContainer? container, CancellationToken cancellation)
    {
        if (await commands.UpdateAsync(bot.Id, known => BotLifecycle.FinalizationBegun(known, container?.Exit)) is not { } finalizing)
            return;
        var published = await TryAsync(bot.Id, () => finalizer.FindPublishedAsync(finalizing, cancellation));
        await TryAsync<object>(bot.Id, async () =>
        {
            await remover.RemoveContainerAsync(finalizing, cancellation);
            return null;
        });
        var error = $"The bot could not be ended in {bot.FailedEnd?.Attempts} attempts. {bot.FailedEnd?.Error} {ChunksKept}";
        await SetEndAsync(finalizing, known => published is null
            ? BotLifecycle.FinalizationFailed(known, error, time.GetUtcNow())
            : BotLifecycle.Finalized(known, published, time.GetUtcNow()));
        backoff.Forget(bot.Id);
    }

    /// <summary>A failure does not keep the bot from ending. The reconciler finds a remaining container.</summary>
    private async Task<T?> TryAsync<T>(SessionId id, Func<Task<T?>> act) where T : class
    {
        try
        {
            return await act();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            Log.Unexpected(logger, exception, id);
            return null;
        }
    }

    private void Postponed(SessionId id, Exception exception, TimeSpan wait)
    {
        _failed[id] = true;
        if (Failures.CauseOf(exception) is FailureCause.Bot && exception is not (IExplainedFailure or IOException or UnauthorizedAccessException))
            Log.Unexpected(logger, exception, id);
        Log.WillRetry(logger, id, wait, exception.Message);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Bot {SessionId} is {Status} ({Reason}) with {Seconds:0.0} s recorded")]
        public static partial void Ended(ILogger logger, SessionId sessionId, string status, EndReason? reason, double seconds);

        [LoggerMessage(LogLevel.Information, "Interrupted finalizing the recording of bot {SessionId} after {Elapsed}, because other bots wait. It continues in its next turn")]
        public static partial void Interrupted(ILogger logger, SessionId sessionId, TimeSpan elapsed);

        [LoggerMessage(LogLevel.Error, "Finalizing the recording of bot {SessionId} failed, its chunks are kept: {Error}")]
        public static partial void FinalizationFailed(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Warning, "Deleted {Bytes} bytes from the folder of bot {SessionId} that its recording does not need: {Fault}")]
        public static partial void Freed(ILogger logger, SessionId sessionId, long bytes, string fault);

        [LoggerMessage(LogLevel.Warning, "Lost the lease while finishing bot {SessionId}, the next manager that takes the lease will finish it")]
        public static partial void LeaseLost(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Error, "Unexpected error while finishing bot {SessionId}")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);

        [LoggerMessage(LogLevel.Error, "Finishing bot {SessionId} failed {Attempts} times, ending it with what was recovered: {Error}")]
        public static partial void GivesUp(ILogger logger, Exception exception, SessionId sessionId, int attempts, string error);

        [LoggerMessage(LogLevel.Warning, "Finishing bot {SessionId} failed, will retry in {Wait}: {Error}")]
        public static partial void WillRetry(ILogger logger, SessionId sessionId, TimeSpan wait, string error);
    }
}
