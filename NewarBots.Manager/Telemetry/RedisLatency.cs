using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;

namespace NewarBots.Manager.Telemetry;

/// <summary>Measures every Redis command of this process with the client's profiler.</summary>
internal sealed class RedisLatency(IConnectionMultiplexer redis, BotMetrics metrics, BackgroundLoops loops) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ProfilingSession _session = new();

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!metrics.IsRedisWanted)
            return Task.CompletedTask;
        redis.RegisterProfiler(() => _session);
        return loops.RunAsync("measure Redis", Interval, ReportAsync, stoppingToken);
    }

    private Task ReportAsync(CancellationToken cancellation)
    {
        foreach (var command in _session.FinishProfiling())
            metrics.AskedRedis(command.ElapsedTime, command.Command);
        return Task.CompletedTask;
    }
}

internal static class TelemetryRegistration
{
    /// <summary>Background measurements; all others are reported by each step to <see cref="BotMetrics"/>.</summary>
    public static TBuilder AddTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHostedService<RedisLatency>();
        return builder;
    }
}
