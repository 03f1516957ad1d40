using System.Threading.Channels;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Listens to all status channels; each message is only a wake-up to read on in that bot's stream. Pub/sub forgets whoever was
/// away, so the stream of every bot that is under way is looked at now and then as well.
/// </summary>
internal sealed partial class StatusListener(
    IConnectionMultiplexer redis, BotQueries queries, BotFollower follower, BotNotifier news, ScheduleSignal schedule, BotMetrics metrics, BackgroundLoops loops,
    TimeProvider time, ILogger<StatusListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    /// <summary>A manager that starts may have much to read.</summary>
    private static readonly TimeSpan LongestFollowing = TimeSpan.FromMinutes(2);

    /// <summary>A manager that starts has all bots to read on at once, each by a few questions to Redis.</summary>
    private static readonly ParallelOptions ManyAtOnce = new() { MaxDegreeOfParallelism = 8 };

    private static readonly RedisChannel AllBots = RedisChannel.Pattern($"{RedisNames.StatusChannelPrefix}*");

    private readonly Channel<SessionId> _woken = Channel.CreateUnbounded<SessionId>(new() { SingleReader = true });

    private bool _isSubscribed;

    /// <summary>Those that were under way at the last look.</summary>
    private HashSet<SessionId> _underWay = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(
            loops.RunAsync("subscribe", every: SweepInterval, SubscribeAsync, stoppingToken),
            loops.RunAsync("sweep", every: SweepInterval, SweepAsync, stoppingToken),
            loops.RunAsync(
                "follow", LongestFollowing, FollowWokenAsync, token => _woken.Reader.WaitUntilReadableAsync(SweepInterval, time, token), stoppingToken));
        await redis.GetSubscriber().UnsubscribeAsync(AllBots, flags: CommandFlags.FireAndForget);
        await redis.GetSubscriber().UnsubscribeAsync(BotKeys.Deletions, flags: CommandFlags.FireAndForget);
    }

    /// <summary>Once; its client comes back to it by itself whenever Redis has been away.</summary>
    private async Task SubscribeAsync(CancellationToken cancellation)
    {
        if (_isSubscribed)
            return;
        try
        {
            await redis.GetSubscriber().SubscribeAsync(BotKeys.Deletions, (_, deletion) => TellDeleted(deletion));
            await redis.GetSubscriber().SubscribeAsync(AllBots, (channel, _) => Wake(channel));
            _isSubscribed = true;
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            Log.RedisAway(logger, exception.Message);
        }
    }

    private void Wake(RedisChannel channel)
    {
        if (!SessionId.TryParse(channel.ToString()[RedisNames.StatusChannelPrefix.Length..], provider: null, out var id))
            return;
        news.Wake(id);
        _woken.Writer.TryWrite(id);
    }

    private void TellDeleted(RedisValue deletion)
    {
        if (deletion.ToString().Split(' ') is [var session, var user]
            && SessionId.TryParse(session, provider: null, out var id) && UserId.TryParse(user, provider: null, out var owner))
            news.TellDeleted(id, owner);
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            var before = _underWay;
            var bots = await queries.UnderWayAsync();
            metrics.SeeActive(bots, await queries.CountQueuedAsync(), await queries.CountScheduledAsync());
            _underWay = [.. bots.Select(bot => bot.Id)];
            // Those that were under way a moment ago too: their end may be what was missed.
            foreach (var id in _underWay.Union(before))
                _woken.Writer.TryWrite(id);
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            metrics.SeeActive(null);
            Log.RedisAway(logger, exception.Message);
        }
    }

    private Task FollowWokenAsync(CancellationToken cancellation)
    {
        var ids = new HashSet<SessionId>();
        while (_woken.Reader.TryRead(out var id))
            ids.Add(id);
        return Parallel.ForEachAsync(ids, ManyAtOnce, (id, _) => FollowAsync(id));
    }

    private async ValueTask FollowAsync(SessionId id)
    {
        try
        {
            if (await follower.FollowAsync(id) is not { } bot)
                return;
            news.Tell(bot);
            // Whichever manager took the order: should that one die, this one knows.
            if (bot.Status is BotStatus.Scheduled)
                schedule.Raise();
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            // The next sweep reads on from the same place.
            Log.RedisAway(logger, exception.Message);
        }
        catch (Exception exception)
        {
            // Whatever one bot's words bring about, the others are still to be heard.
            Log.Unexpected(logger, exception, id);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The words of bot {SessionId} met an error that nobody expected")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "Status messages cannot be read at the moment: {Why}")]
        public static partial void RedisAway(ILogger logger, string why);
    }
}
