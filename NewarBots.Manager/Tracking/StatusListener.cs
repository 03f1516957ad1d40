using System.Threading.Channels;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Telemetry;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Listens to all status channels; each message is only a wake-up to read on in that bot's stream. Pub/sub forgets whoever was
/// away, so every active bot's stream is looked at now and then as well.
/// </summary>
internal sealed partial class StatusListener(
    IConnectionMultiplexer redis, BotStore store, BotFollower follower, BotNews news, BotMetrics metrics, TimeProvider time,
    ILogger<StatusListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    /// <summary>A manager that starts has all bots to read on at once, each by a few questions to Redis.</summary>
    private static readonly ParallelOptions ManyAtOnce = new() { MaxDegreeOfParallelism = 8 };

    private readonly Channel<SessionId> _woken = Channel.CreateUnbounded<SessionId>(new() { SingleReader = true });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pattern = RedisChannel.Pattern($"{RedisNames.StatusChannelPrefix}*");
        await SubscribeAsync(pattern, stoppingToken);
        await Task.WhenAll(FollowWokenAsync(stoppingToken), SweepAsync(stoppingToken));
        await redis.GetSubscriber().UnsubscribeAsync(pattern, flags: CommandFlags.FireAndForget);
    }

    private async Task SubscribeAsync(RedisChannel pattern, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await redis.GetSubscriber().SubscribeAsync(pattern, (channel, _) => Wake(channel));
                return;
            }
            catch (Exception exception) when (exception.IsRedisAway())
            {
                Log.RedisAway(logger, exception.Message);
                await time.WaitAsync(SweepInterval, cancellation);
            }
        }
    }

    private void Wake(RedisChannel channel)
    {
        if (!SessionId.TryParse(channel.ToString()[RedisNames.StatusChannelPrefix.Length..], provider: null, out var id))
            return;
        news.Wake(id);
        _woken.Writer.TryWrite(id);
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        var active = new HashSet<SessionId>();
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var before = active;
                var bots = await store.ActiveAsync();
                metrics.SeeActive(bots);
                active = [.. bots.Select(bot => bot.Id)];
                // Those that were active a moment ago too: their end may be what was missed.
                foreach (var id in active.Union(before))
                    _woken.Writer.TryWrite(id);
            }
            catch (Exception exception) when (exception.IsRedisAway())
            {
                metrics.SeeActive(null);
                Log.RedisAway(logger, exception.Message);
            }

            await time.WaitAsync(SweepInterval, cancellation);
        }
    }

    private async Task FollowWokenAsync(CancellationToken cancellation)
    {
        while (await _woken.Reader.WaitUntilReadableAsync(cancellation))
        {
            var ids = new HashSet<SessionId>();
            while (_woken.Reader.TryRead(out var id))
                ids.Add(id);
            await Parallel.ForEachAsync(ids, ManyAtOnce, (id, _) => FollowAsync(id));
        }
    }

    private async ValueTask FollowAsync(SessionId id)
    {
        try
        {
            if (await follower.FollowAsync(id) is { } bot)
                news.Tell(bot);
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
