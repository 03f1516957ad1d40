using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>Passes changes of transcripts, by any manager, to this manager's event streams.</summary>
internal sealed class TranscriptNotifier(IConnectionMultiplexer redis, BotQueries queries, BotNotifier notifier, BackgroundLoops loops) : BackgroundService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private bool _isSubscribed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await loops.RunAsync("subscribe to transcripts", every: RetryInterval, SubscribeAsync, stoppingToken);
        await redis.GetSubscriber().UnsubscribeAsync(BotKeys.TranscriptChanges, flags: CommandFlags.FireAndForget);
    }

    /// <summary>Subscribes once. The Redis client renews the subscription after each reconnect.</summary>
    private async Task SubscribeAsync(CancellationToken cancellation)
    {
        if (_isSubscribed)
            return;
        try
        {
            (await redis.GetSubscriber().SubscribeAsync(BotKeys.TranscriptChanges)).OnMessage(message => TellAsync(message.Message));
            _isSubscribed = true;
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The status listener logs it.
        }
    }

    private async Task TellAsync(RedisValue changed)
    {
        try
        {
            if (SessionId.TryParse(changed, provider: null, out var id) && await queries.FindAsync(id) is { } bot)
                notifier.TellTranscript(bot);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // Clients that watch all bots read the bot itself when they reconnect.
        }
    }
}
