using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Makes recorders leave, in the background: by the command on Redis and by SIGTERM, which mean the same, so that either way
/// serves where the other is closed. A stop that whoever accepted it did not live to carry out is carried out by any manager.
/// </summary>
internal sealed partial class BotStopper(
    IConnectionMultiplexer redis, IRecorderContainers containers, BotQueries queries, BackgroundLoops loops, ILogger<BotStopper> logger)
    : BackgroundService
{
    /// <summary>Stopping is waiting for the recorder, and costs nothing else.</summary>
    private const int Parallelism = 64;

    /// <summary>A recorder leaves, flushes and reports within 10 s of SIGTERM; SIGKILL follows only well after that.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    /// <summary>Whoever was asked in two looks on end, and is still there, is asked again: within twice this.</summary>
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(5);

    private readonly BotWorkQueue _queue = new(logger);

    /// <summary>Who was asked to leave at the last look.</summary>
    private HashSet<SessionId> _asked = [];

    /// <summary>Stops the bot's recorder where it has one. May be asked for again and again.</summary>
    public void Enqueue(SessionId id) => _queue.Enqueue(id);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        loops.RunAsync("stop", every: LookAgainAfter, LookAgainAsync, stoppingToken),
        _queue.ProcessAsync(Parallelism, StopOrPostponeAsync, stoppingToken));

    private async Task LookAgainAsync(CancellationToken cancellation)
    {
        try
        {
            var before = _asked;
            _asked = (await queries.UnderWayAsync())
                .Where(bot => bot is { StopRequested: true, AwaitsContainer: false, Status: < BotStatus.Finalizing })
                .Select(bot => bot.Id)
                .ToHashSet();
            foreach (var id in _asked.Intersect(before))
                Enqueue(id);
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            // Whoever reads the queue or the streams says so.
        }
    }

    private async Task StopOrPostponeAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            if (await queries.FindAsync(id) is { } bot)
                await StopAsync(bot, cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException || exception.IsRedisAway())
        {
            Log.StopFailed(logger, id, exception.Message);
        }
    }

    private async Task StopAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = BotTracing.StartStep("bot stop", bot);
        try
        {
            await redis.GetSubscriber().PublishAsync(
                RedisChannel.Literal(RedisNames.CommandChannel(bot.Id)), RedisNames.StopCommand, CommandFlags.FireAndForget);
            await containers.StopAsync(bot.Id, Grace, cancellation);
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Bot {SessionId} could not be told to stop, which will be tried again: {Why}")]
        public static partial void StopFailed(ILogger logger, SessionId sessionId, string why);
    }
}
