using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;

namespace NewarBots.Manager.Telemetry;

/// <summary>Measures every command to Redis, whoever sends it, by the client's own profiler.</summary>
internal sealed class RedisLatency(IConnectionMultiplexer redis, BotMetrics metrics, BackgroundLoops loops) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ProfilingSession _session = new();

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!metrics.IsRedisWanted)
            return Task.CompletedTask;
        redis.RegisterProfiler(() => _session);
        return loops.RunAsync("measure Redis", Interval, TellAsync, stoppingToken);
    }

    private Task TellAsync(CancellationToken cancellation)
    {
        foreach (var command in _session.FinishProfiling())
            metrics.AskedRedis(command.ElapsedTime, command.Command);
        return Task.CompletedTask;
    }
}
