using NewarBots.Manager.Bots;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;

namespace NewarBots.Manager.Telemetry;

/// <summary>Measures every command to Redis, whoever sends it, by the client's own profiler.</summary>
internal sealed class RedisLatency(IConnectionMultiplexer redis, BotMetrics metrics, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ProfilingSession _session = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!metrics.IsRedisWanted)
            return;
        redis.RegisterProfiler(() => _session);
        while (!stoppingToken.IsCancellationRequested)
        {
            await time.WaitAsync(Interval, stoppingToken);
            foreach (var command in _session.FinishProfiling())
                metrics.AskedRedis(command.ElapsedTime, command.Command);
        }
    }
}
