using System.Collections.Concurrent;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Subscribes to all status channels. Each message only triggers a read of that bot's journal; what it says is not used. Pub/sub messages can be
/// lost, so the journals of all active bots are also polled.
/// </summary>
internal sealed partial class StatusListener(
    IConnectionMultiplexer redis, BotQueries queries, BotFollower follower, BotNotifier news, ScheduleSignal schedule, BotMetrics metrics,
    [FromKeyedServices(RetryBackoff.Messages)] RetryBackoff backoff, BackgroundLoops loops, TimeProvider time, ILogger<StatusListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    /// <summary>A manager that starts may have many journals to read.</summary>
    private static readonly TimeSpan FollowTimeout = TimeSpan.FromMinutes(2);

    /// <summary>The least time between two turns. In each turn, a bot is read once, however many messages its recorder publishes.</summary>
    private static readonly TimeSpan TurnInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>A manager that starts reads the journals of all bots, each with a few Redis calls.</summary>
    private static readonly ParallelOptions Parallelism = new() { MaxDegreeOfParallelism = 8 };

    private static readonly RedisChannel AllBots = RedisChannel.Pattern($"{RedisNames.StatusChannelPrefix}*");

    private readonly WokenBots _woken = new();

    /// <summary>The latest messages and changes of people that event streams were woken for. Used by one turn at a time.</summary>
    private readonly ConcurrentDictionary<SessionId, (long Sequence, int People)> _told = new();

    private bool _isSubscribed;

    /// <summary>Bots that were active at the last sweep.</summary>
    private HashSet<SessionId> _active = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(
            loops.RunAsync("subscribe", every: SweepInterval, SubscribeAsync, stoppingToken),
            loops.RunAsync("sweep", every: SweepInterval, SweepAsync, stoppingToken),
            loops.RunAsync(
                "follow", FollowTimeout, FollowWokenAsync, token => _woken.WaitAsync(SweepInterval, time, token), stoppingToken));
        await redis.GetSubscriber().UnsubscribeAsync(AllBots, flags: CommandFlags.FireAndForget);
        await redis.GetSubscriber().UnsubscribeAsync(BotKeys.Edits, flags: CommandFlags.FireAndForget);
        await redis.GetSubscriber().UnsubscribeAsync(BotKeys.Deletions, flags: CommandFlags.FireAndForget);
    }

    /// <summary>Subscribes once. The Redis client renews the subscription after each reconnect.</summary>
    private async Task SubscribeAsync(CancellationToken cancellation)
    {
        if (_isSubscribed)
            return;
        try
        {
            await redis.GetSubscriber().SubscribeAsync(BotKeys.Deletions, (_, deletion) => NotifyDeleted(deletion));
            await redis.GetSubscriber().SubscribeAsync(BotKeys.Edits, (_, edited) => Wake(edited.ToString()));
            await redis.GetSubscriber().SubscribeAsync(AllBots, (channel, _) => Wake(channel.ToString()[RedisNames.StatusChannelPrefix.Length..]));
            _isSubscribed = true;
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            Log.RedisUnreachable(logger, exception.Message);
        }
    }

    private void Wake(string bot)
    {
        if (SessionId.TryParse(bot, provider: null, out var id))
            _woken.Add(id);
    }

    private void NotifyDeleted(RedisValue deletion)
    {
        if (deletion.ToString().Split(' ') is [var session, var user]
            && SessionId.TryParse(session, provider: null, out var id) && UserId.TryParse(user, provider: null, out var owner))
        {
            // A waiting bot in the cache would be recovered.
            queries.Forget(id);
            news.TellDeleted(id, owner);
        }
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            var before = _active;
            var bots = await queries.UnderWayAsync();
            metrics.SeeActive(bots, await queries.CountQueuedAsync(), await queries.CountScheduledAsync());
            _active = [.. bots.Select(bot => bot.Id)];
            // Also those that were active at the last sweep: the missed message may be their last.
            foreach (var id in _active.Union(before))
                _woken.Add(id);
            backoff.Keep(_active);
            foreach (var gone in _told.Keys.Except(_active))
                _told.TryRemove(gone, out _);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            metrics.SeeActive(null);
            Log.RedisUnreachable(logger, exception.Message);
        }
    }

    private async Task FollowWokenAsync(CancellationToken cancellation)
    {
        await Parallel.ForEachAsync(_woken.Take(), Parallelism, (id, _) => FollowAsync(id));
        await time.WaitAsync(TurnInterval, cancellation);
    }

    private async ValueTask FollowAsync(SessionId id)
    {
        if (backoff.IsPostponed(id))
            return;
        try
        {
            var (bot, hasMore) = await follower.FollowAsync(id);
            backoff.Forget(id);
            if (hasMore)
                _woken.Add(id);
            // Every message on the stream raises the sequence number, so without a greater one there is nothing to read.
            if (bot is null || !_told.TryGetValue(id, out var told) || told != (bot.LastSequence, bot.People.Changes))
                news.Wake(id, bot);
            if (bot is null)
                return;
            _told[id] = (bot.LastSequence, bot.People.Changes);
            news.Tell(bot);
            // Another manager may have accepted it. If that one dies, this one must know the start time.
            if (bot.Status is BotStatus.Scheduled)
                schedule.Raise();
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The next sweep continues from the same position.
            Log.RedisUnreachable(logger, exception.Message);
        }
        catch (Exception exception)
        {
            // One bot's messages must not keep those of others from being read.
            var wait = backoff.Postpone(id, exception);
            Log.Unexpected(logger, exception, id, wait);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Unexpected error while reading the status messages of bot {SessionId}, will retry in {Wait}")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId, TimeSpan wait);

        [LoggerMessage(LogLevel.Warning, "Status messages cannot be read, will retry: {Why}")]
        public static partial void RedisUnreachable(ILogger logger, string why);
    }
}

/// <summary>The bots whose journals may have something new. However often a bot is added, it is taken once.</summary>
internal sealed class WokenBots
{
    private readonly Lock _lock = new();
    private readonly AsyncAutoResetEvent _any = new();
    private HashSet<SessionId> _ids = [];

    public void Add(SessionId id)
    {
        lock (_lock)
            _ids.Add(id);
        _any.Raise();
    }

    public IReadOnlyCollection<SessionId> Take()
    {
        lock (_lock)
        {
            var taken = _ids;
            _ids = [];
            return taken;
        }
    }

    /// <inheritdoc cref="AsyncAutoResetEvent.WaitAsync"/>
    public Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation) => _any.WaitAsync(atMost, time, cancellation);
}

internal static class TrackingRegistration
{
    public static IHostApplicationBuilder AddTracking(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotFollower>();
        builder.Services.AddHostedService<StatusListener>();
        return builder;
    }
}
