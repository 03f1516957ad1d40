using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using StackExchange.Redis;

namespace NewarBots.Manager.Reconciling;

internal static class ReconcilingRegistration
{
    public static IHostApplicationBuilder AddReconciling(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotRecovery>();
        builder.Services.AddSingleton<RecordingRecovery>();
        builder.Services.AddSingleton<FolderLimit>();
        builder.Services.AddHostedService<Reconciler>();
        return builder;
    }
}

/// <summary>
/// Makes records, containers and files agree again after a crash or an outage: at start, every minute, and as soon as Redis
/// reconnects or is found to be empty.
/// </summary>
internal sealed partial class Reconciler(
    IConnectionMultiplexer redis,
    IRecorderRuntime runtime,
    SessionFolders folders,
    BotQueries queries,
    BotCommands commands,
    BotRecordRecovery recovery,
    BotRecovery bots,
    RecordingRecovery recordings,
    RecorderPreparation preparation,
    RecorderAccess access,
    IPortForwarding ports,
    BotFinisher finisher,
    BotStopper stopper,
    RetryBackoff backoff,
    FailureDiagnosis diagnosis,
    FolderLimit limit,
    BackgroundLoops loops,
    TimeProvider time,
    ILogger<Reconciler> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);

    private static readonly ParallelOptions RestoreOptions = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>With very many bots, or many recordings to recover.</summary>
    private static readonly TimeSpan LongestReconciliation = TimeSpan.FromMinutes(5);

    private readonly AsyncAutoResetEvent _needed = new();
    private readonly LivenessTracker _liveness = new(time);
    private TimeSpan _next = Interval;
    private bool _hasFreed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        redis.ConnectionRestored += OnRedisRestored;
        await Task.WhenAll(
            loops.RunAsync("reconcile", LongestReconciliation, ReconcileOrRetryAsync, token => _needed.WaitAsync(_next, time, token), stoppingToken),
            loops.RunAsync("watch", every: WatchInterval, WatchAsync, stoppingToken));
        redis.ConnectionRestored -= OnRedisRestored;

        void OnRedisRestored(object? sender, ConnectionFailedEventArgs connection) => _needed.Raise();
    }

    private async Task ReconcileOrRetryAsync(CancellationToken cancellation)
    {
        _next = Interval;
        try
        {
            await ReconcileAsync(cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException or IOException || exception.IsRedisUnavailable())
        {
            Log.WillRetry(logger, exception.Message);
            _next = RetryAfter;
        }
    }

    /// <summary>Checks what cannot wait for the next reconciliation: whether Redis was emptied, and whether ports that a crashed manager forwarded are free.</summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            if (redis.IsConnected && !await recovery.IsCompleteAsync())
                _needed.Raise();
            await ports.RetryTakenPortsAsync(cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException || exception.IsRedisUnavailable())
        {
            // The event of the restored Redis connection triggers a reconciliation; the engine is asked again at the next turn.
        }
    }

    public async Task ReconcileAsync(CancellationToken cancellation)
    {
        // First: if Redis is emptied from here on, the next reconciliation must notice.
        var token = await recovery.BeginAsync();
        if (token is not null)
            await RecoverWaitingAsync();
        var existing = await runtime.ListAsync(cancellation);
        var onDisk = folders.List();
        var known = (await queries.ActiveAsync()).ToDictionary(bot => bot.Id);
        if (token is null)
            await RefreshWaitingAsync(known);
        foreach (var id in existing.Select(container => container.Id).Union(onDisk.Select(folder => folder.Id)))
        {
            if (!known.ContainsKey(id) && await queries.FindAsync(id) is { } bot)
                known.Add(id, bot);
        }

        await RestoreAsync(known.Values, cancellation);
        // Recordings lose their records only when Redis is emptied, so no other reconciliation lists them all.
        var unrecorded = token is null ? [] : await recordings.FindUnrecordedAsync();
        foreach (var action in ReconciliationPlan.Make(known.Values, existing, onDisk, unrecorded, _liveness.Observe(known, existing, onDisk), time.GetUtcNow()))
        {
            if (!backoff.IsPostponed(action.Id))
                await TryCarryOutAsync(action, cancellation);
        }

        foreach (var container in existing.Where(container => known.ContainsKey(container.Id)))
            await TellStateAsync(known[container.Id], container);

        var running = existing.Where(container => container.State is RecorderContainerState.Running).Select(container => container.Id).ToHashSet();
        foreach (var bot in known.Values.Where(bot => running.Contains(bot.Id)))
            await TryLimitAsync(bot);

        if (token is not null && unrecorded.Count < RecordingRecovery.BatchSize)
        {
            await recovery.IndexAsync(cancellation);
            await recovery.CompleteAsync(token);
        }

        if (!_hasFreed || queries.HasLostRecords)
            await FreePlacesAsync(cancellation);
        _hasFreed = true;
    }

    /// <summary>A failure for one bot does not stop the reconciliation of others. An outage does: it concerns all.</summary>
    private async Task TryCarryOutAsync(Reconciliation action, CancellationToken cancellation)
    {
        try
        {
            await CarryOutAsync(action, cancellation);
            // The others are only enqueued here.
            if (action is Reconciliation.RecoverBot or Reconciliation.RecoverRecording)
                backoff.Forget(action.Id);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var (cause, why) = await diagnosis.CauseOfAsync(exception, cancellation);
            if (cause is FailureCause.Redis or FailureCause.Engine)
                throw;
            var wait = backoff.Postpone(action.Id, cause, why);
            Log.NotReconciled(logger, exception, action.Id, wait, exception.Message);
        }
    }

    private async Task TellStateAsync(Bot bot, RecorderContainer container)
    {
        var why = container.State switch
        {
            RecorderContainerState.Pending => new BotWarning(EndReason.ContainerPending, container.Why),
            RecorderContainerState.Unknown => new BotWarning(EndReason.ContainerUnreachable, container.Why),
            _ => null,
        };
        if (BotLifecycle.ContainerSeen(bot, why) == bot)
            return;
        try
        {
            await commands.UpdateAsync(bot.Id, known => BotLifecycle.ContainerSeen(known, why));
        }
        catch (RedisServerException exception) when (!exception.IsRedisUnavailable())
        {
            // The other bots do not depend on it.
            Log.StateNotTold(logger, bot.Id, exception.Message);
        }
    }

    private async Task TryLimitAsync(Bot bot)
    {
        try
        {
            await limit.EnforceAsync(bot);
        }
        catch (IOException exception)
        {
            Log.NotMeasured(logger, bot.Id, exception.Message);
        }
    }

    private async Task CarryOutAsync(Reconciliation action, CancellationToken cancellation)
    {
        switch (action)
        {
            case Reconciliation.RecoverBot found:
                if (await bots.RecoverAsync(found, cancellation) is { } recovered)
                    await RestoreAsync([recovered], cancellation);
                break;
            case Reconciliation.RecoverRecording found:
                await recordings.RecoverAsync(found);
                break;
            case Reconciliation.Finish:
                finisher.Enqueue(action.Id);
                break;
            case Reconciliation.Stop:
                stopper.Enqueue(action.Id);
                break;
            case Reconciliation.StopOverdue:
                Log.Overdue(logger, action.Id);
                await commands.UpdateAsync(action.Id, BotLifecycle.Overdue);
                stopper.Enqueue(action.Id);
                break;
        }
    }

    private async Task FreePlacesAsync(CancellationToken cancellation)
    {
        try
        {
            await recovery.FreeAsync(cancellation);
        }
        catch (RedisServerException exception) when (!exception.IsRedisUnavailable())
        {
            // A Redis that forbids listing keys must not keep bots from being recovered.
            Log.PlacesNotFreed(logger, exception.Message);
        }
    }

    /// <summary>A bot that waits for its container has neither container nor files, so its lost record is recovered from this manager's memory.</summary>
    private async Task RecoverWaitingAsync()
    {
        foreach (var waiting in queries.Cached().Where(bot => bot.AwaitsContainer).ToList())
        {
            if (await recovery.AdoptAsync(waiting))
                Log.Recovered(logger, waiting.Id, waiting.UserId);
        }
    }

    /// <summary>
    /// Another manager may have cancelled a bot that this manager remembers as waiting. Reads it again, so that
    /// <see cref="RecoverWaitingAsync"/> does not recover it later.
    /// </summary>
    private async Task RefreshWaitingAsync(Dictionary<SessionId, Bot> active)
    {
        foreach (var waiting in queries.Cached().Where(bot => bot.AwaitsContainer && !active.ContainsKey(bot.Id)).ToList())
            await queries.FindAsync(waiting.Id);
    }

    /// <summary>Restores the Redis users of live bots, lost when Redis restarts, and their port forwarding, lost when the manager restarts.</summary>
    public async Task RestoreAsync(IEnumerable<Bot> bots, CancellationToken cancellation)
    {
        var live = bots.Where(bot => bot.Status is > BotStatus.Queued and < BotStatus.Finalizing).ToList();
        try
        {
            await preparation.ForwardPortsAsync(live, cancellation);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // The rest of the reconciliation does not depend on it.
            Log.ForwardingFailed(logger, exception, exception.Message);
        }

        await Parallel.ForEachAsync(live, RestoreOptions, async (bot, _) =>
        {
            try
            {
                await access.EnsureAsync(bot.Id);
            }
            catch (Exception exception) when (!exception.IsRedisUnavailable())
            {
                // The other bots do not depend on it.
                Log.RedisUserFailed(logger, exception, bot.Id, exception.Message);
            }

            // If the bot has ended since its record was read, its user was removed and must not come back.
            if (await queries.FindAsync(bot.Id) is { Status: >= BotStatus.Finalizing })
                await access.RemoveAsync(bot.Id);
        });
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The folder of bot {SessionId} cannot be measured, will retry in a minute: {Error}")]
        public static partial void NotMeasured(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Error, "The state of the container of bot {SessionId} cannot be recorded, will retry in a minute: {Error}")]
        public static partial void StateNotTold(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Error, "Redis refuses to list its keys, places of bots with lost records stay taken: {Error}")]
        public static partial void PlacesNotFreed(ILogger logger, string error);

        [LoggerMessage(LogLevel.Warning, "Bot {SessionId} has exceeded its maximum duration and did not leave, stopping it")]
        public static partial void Overdue(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "Recovered the lost record of bot {SessionId} of user {UserId}, which waits for its container")]
        public static partial void Recovered(ILogger logger, SessionId sessionId, UserId userId);

        [LoggerMessage(LogLevel.Error, "Restoring port forwarding for live bots failed, will retry: {Error}")]
        public static partial void ForwardingFailed(ILogger logger, Exception exception, string error);

        [LoggerMessage(LogLevel.Error, "Restoring the Redis user of bot {SessionId} failed, will retry: {Error}")]
        public static partial void RedisUserFailed(ILogger logger, Exception exception, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Error, "Reconciliation of bot {SessionId} failed, will retry in {Wait}: {Error}")]
        public static partial void NotReconciled(ILogger logger, Exception exception, SessionId sessionId, TimeSpan wait, string error);

        [LoggerMessage(LogLevel.Warning, "Reconciliation failed, will retry: {Error}")]
        public static partial void WillRetry(ILogger logger, string error);
    }
}
