using System.Threading.Channels;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Telemetry;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Makes recorders leave, in the background: by the command on Redis and by SIGTERM, which mean the same, so that either way
/// serves where the other is closed.
/// </summary>
internal sealed partial class BotStopper(
    IConnectionMultiplexer redis, IRecorderContainers containers, ILogger<BotStopper> logger) : BackgroundService
{
    /// <summary>A recorder leaves, flushes and reports within 10 s of SIGTERM; SIGKILL follows only well after that.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    private readonly Channel<Bot> _asked = Channel.CreateUnbounded<Bot>(new() { SingleReader = true });

    /// <summary>Stops the bot's recorder where it has one. May be asked for again and again.</summary>
    public void Enqueue(Bot bot) => _asked.Writer.TryWrite(bot);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Parallel.ForEachAsync(_asked.Reader.ReadAllAsync(stoppingToken), stoppingToken, StopAsync);

    private async ValueTask StopAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = ManagerTelemetry.StartStep("bot stop", bot);
        try
        {
            await redis.GetSubscriber().PublishAsync(
                RedisChannel.Literal(RedisNames.CommandChannel(bot.Id)), RedisNames.StopCommand, CommandFlags.FireAndForget);
            await containers.StopAsync(bot.Id, Grace, cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException || exception.IsRedisAway())
        {
            // The reconciler asks again for every bot that was asked to stop and still runs.
            step.Fail(exception);
            Log.StopFailed(logger, bot.Id, exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Bot {SessionId} could not be told to stop, which will be tried again: {Why}")]
        public static partial void StopFailed(ILogger logger, SessionId sessionId, string why);
    }
}
