using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace NewarBots.ServiceDefaults;

/// <summary>How a service gets its Redis connection: by Aspire's integration where the build has it, else by the same contract.</summary>
public static class RedisRegistration
{
    /// <summary>
    /// Registers <see cref="IConnectionMultiplexer"/> by the <see cref="RedisSettings"/> of that name and, unless they say
    /// otherwise, a health check. A Redis that is away is waited for: the connection is made on first use, which then takes up to its connect
    /// timeout (5 s), and heals by itself.
    /// </summary>
    public static TBuilder AddRedis<TBuilder>(this TBuilder builder, string connectionName) where TBuilder : IHostApplicationBuilder
    {
        builder.AddConnection(connectionName);
        builder.Logging.AddFilter("StackExchange.Redis", LogLevel.None);
        builder.Services.TryAddSingleton(TimeProvider.System);
        if (!RedisSettings.Read(builder.Configuration, connectionName).DisableHealthChecks)
            builder.Services.AddHealthChecks().AddCheck<RedisHealthCheck>(connectionName);
        return builder;
    }

#if ASPIRE
    private static void AddConnection(this IHostApplicationBuilder builder, string connectionName) =>
        builder.AddRedisClient(connectionName, settings =>
        {
            settings.DisableHealthChecks = true;
            // Each look of a background loop would be a trace of its own, and bury the bots'.
            settings.DisableTracing = true;
        });
#else
    private static void AddConnection(this IHostApplicationBuilder builder, string connectionName) =>
        builder.Services.AddSingleton<IConnectionMultiplexer>(services =>
        {
            var options = RedisSettings.ReadOptions(builder.Configuration, connectionName);
            options.LoggerFactory ??= services.GetService<ILoggerFactory>();
            return ConnectionMultiplexer.Connect(options);
        });
#endif
}
