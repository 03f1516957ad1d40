using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using StackExchange.Redis;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Looks at what runs, what lies on the disk and what is recorded, and mends what has come apart while nobody watched: at start,
/// every minute, and as soon as Redis is back or is seen to have been emptied.
/// </summary>
internal sealed partial class Reconciler(
    IConnectionMultiplexer redis,
    IRecorderContainers containers,
    SessionFolders folders,
    BotQueries queries,
    BotCommands commands,
    BotRecordRecovery recovery,
    BotRecovery adopter,
    RecordingRecovery recordings,
    RecorderPreparation preparation,
    RecorderAccess access,
    IPortForwarding ports,
    BotFinisher ended,
    BotStopper stopper,
    BackgroundLoops loops,
    TimeProvider time,
    ILogger<Reconciler> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);

    /// <summary>Each by a few questions to Redis.</summary>
    private static readonly ParallelOptions ManyAtOnce = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>With very many bots, or much to be recalled.</summary>
    private static readonly TimeSpan LongestReconciling = TimeSpan.FromMinutes(5);

    private readonly AsyncAutoResetEvent _needed = new();
    private readonly LivenessTracker _sights = new(time);
    private TimeSpan _next = Interval;
    private bool _hasFreed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        redis.ConnectionRestored += WhenRedisIsBack;
        await Task.WhenAll(
            loops.RunAsync("reconcile", LongestReconciling, ReconcileOrPostponeAsync, token => _needed.WaitAsync(_next, time, token), stoppingToken),
            loops.RunAsync("watch", every: WatchInterval, WatchAsync, stoppingToken));
        redis.ConnectionRestored -= WhenRedisIsBack;

        void WhenRedisIsBack(object? sender, ConnectionFailedEventArgs connection) => _needed.Raise();
    }

    private async Task ReconcileOrPostponeAsync(CancellationToken cancellation)
    {
        _next = Interval;
        try
        {
            await ReconcileAsync(cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException or IOException || exception.IsRedisAway())
        {
            Log.Postponed(logger, exception.Message);
            _next = RetryAfter;
        }
    }

    /// <summary>What cannot wait for the next reconciliation: an emptied Redis and bots cut off by another manager's death.</summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            if (redis.IsConnected && !await recovery.IsCompleteAsync())
                _needed.Raise();
            await ports.RetryTakenPortsAsync(cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException || exception.IsRedisAway())
        {
            // Redis's return is heard of by itself, and the engine is asked again.
        }
    }

    public async Task ReconcileAsync(CancellationToken cancellation)
    {
        // Asked first: if Redis is emptied while this goes on, the next reconciliation has to see that.
        var token = await recovery.BeginAsync();
        if (token is not null)
            await TakeUpWaitingAsync();
        var there = await containers.ListAsync(cancellation);
        var onDisk = folders.List();
        var known = (await queries.ActiveAsync()).ToDictionary(bot => bot.Id);
        if (token is null)
            await ReadWaitingAgainAsync(known);
        foreach (var id in there.Select(container => container.Id).Union(onDisk.Select(folder => folder.Id)))
        {
            if (!known.ContainsKey(id) && await queries.FindAsync(id) is { } bot)
                known.Add(id, bot);
        }

        await RestoreAsync(known.Values, cancellation);
        // Nobody has to look through all recordings at any other time: each has been on record.
        var forgotten = token is null ? [] : await recordings.ForgottenAsync();
        foreach (var action in ReconciliationPlan.Make(known.Values, there, onDisk, forgotten, _sights.Look(known, there, onDisk), time.GetUtcNow()))
        {
            switch (action)
            {
                case Reconciliation.Adopt found:
                    if (await adopter.AdoptAsync(found, cancellation) is { } adopted)
                        await RestoreAsync([adopted], cancellation);
                    break;
                case Reconciliation.Recall found:
                    await recordings.AdoptAsync(found);
                    break;
                case Reconciliation.TakeToItsEnd:
                    ended.Enqueue(action.Id);
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

        if (token is not null && forgotten.Count < RecordingRecovery.AtOnce)
        {
            await recovery.IndexAsync(cancellation);
            await recovery.CompleteAsync(token);
        }

        if (!_hasFreed || queries.HasLostRecords)
            await FreePlacesAsync(cancellation);
        _hasFreed = true;
    }

    private async Task FreePlacesAsync(CancellationToken cancellation)
    {
        try
        {
            await recovery.FreeAsync(cancellation);
        }
        catch (RedisServerException exception) when (!exception.IsRedisAway())
        {
            // A Redis that forbids listing keys must not keep bots from being recovered.
            Log.PlacesNotFreed(logger, exception.Message);
        }
    }

    /// <summary>A bot that waits for its container has left nothing but its record: of those that are lost, only who has seen them knows.</summary>
    private async Task TakeUpWaitingAsync()
    {
        foreach (var waiting in queries.NewestCached(user: null, after: null).Where(bot => bot.AwaitsContainer).ToList())
        {
            if (await recovery.AdoptAsync(waiting))
                Log.TakenUp(logger, waiting.Id, waiting.UserId);
        }
    }

    /// <summary>
    /// One that waited when this manager saw it last may have been cancelled by another since, whose word was missed: it is read again, so
    /// that <see cref="TakeUpWaitingAsync"/> does not bring it back one day.
    /// </summary>
    private async Task ReadWaitingAgainAsync(Dictionary<SessionId, Bot> active)
    {
        foreach (var waiting in queries.NewestCached(user: null, after: null).Where(bot => bot.AwaitsContainer && !active.ContainsKey(bot.Id)).ToList())
            await queries.FindAsync(waiting.Id);
    }

    /// <summary>A restart of Redis takes its users with it, and one of the manager the ways to this machine.</summary>
    public async Task RestoreAsync(IEnumerable<Bot> bots, CancellationToken cancellation)
    {
        var living = bots.Where(bot => bot.Status is > BotStatus.Queued and < BotStatus.Finalizing).ToList();
        try
        {
            await preparation.ForwardPortsAsync(living, cancellation);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // What is to be done for the bots does not wait for it.
            Log.WaysNotOpened(logger, exception, exception.Message);
        }

        await Parallel.ForEachAsync(living, ManyAtOnce, async (bot, _) =>
        {
            try
            {
                await access.EnsureAsync(bot.Id);
            }
            catch (Exception exception) when (!exception.IsRedisAway())
            {
                // Nor do the other bots.
                Log.NotRestored(logger, exception, bot.Id, exception.Message);
            }

            // It may have ended since it was looked at, and its user with it: that one is not to come back.
            if (await queries.FindAsync(bot.Id) is { Status: >= BotStatus.Finalizing })
                await access.RemoveAsync(bot.Id);
        });
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Redis refuses to list its keys, so places of bots whose records are lost stay taken: {Why}")]
        public static partial void PlacesNotFreed(ILogger logger, string why);

        [LoggerMessage(LogLevel.Warning, "Bot {SessionId} has outlived its time and not left by itself: it is stopped")]
        public static partial void Overdue(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "Bot {SessionId} of user {UserId}, which waits for its container, was on no record any more and is taken up again as it was known")]
        public static partial void TakenUp(ILogger logger, SessionId sessionId, UserId userId);

        [LoggerMessage(LogLevel.Error, "The ways by which bots reach this machine cannot be opened: {Why}")]
        public static partial void WaysNotOpened(ILogger logger, Exception exception, string why);

        [LoggerMessage(LogLevel.Error, "The Redis user of bot {SessionId} cannot be restored: {Why}")]
        public static partial void NotRestored(ILogger logger, Exception exception, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "Reconciliation has to wait: {Why}")]
        public static partial void Postponed(ILogger logger, string why);
    }
}
