using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;
#if !ASPIRE
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
#endif

namespace NewarBots.ServiceDefaults;

/// <summary>How a service gets its Redis connection: by Aspire's integration where the build has it, else by the same contract.</summary>
public static class RedisRegistration
{
    /// <summary>Shorter than Redis's own timeouts, so that <c>/health</c> answers promptly while Redis is away.</summary>
    private static readonly TimeSpan HealthCheckTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Registers <see cref="IConnectionMultiplexer"/> for <c>ConnectionStrings:{connectionName}</c> and a health check of that
    /// name. A Redis that is away is waited for: the connection is made on first use and heals by itself.
    /// </summary>
    public static TBuilder AddRedis<TBuilder>(this TBuilder builder, string connectionName) where TBuilder : IHostApplicationBuilder
    {
        builder.AddConnection(connectionName);
        builder.Services.AddHealthChecks().AddRedis(
            services => services.GetRequiredService<IConnectionMultiplexer>(), connectionName, timeout: HealthCheckTimeout);
        return builder;
    }

#if ASPIRE
    private static void AddConnection(this IHostApplicationBuilder builder, string connectionName) =>
        builder.AddRedisClient(connectionName, settings => settings.DisableHealthChecks = true);
#else
    private static void AddConnection(this IHostApplicationBuilder builder, string connectionName) =>
        builder.Services.AddSingleton<IConnectionMultiplexer>(services =>
        {
            var connectionString = services.GetRequiredService<IConfiguration>().GetConnectionString(connectionName);
            if (string.IsNullOrWhiteSpace(connectionString))
                throw new InvalidOperationException($"Set ConnectionStrings:{connectionName} to the address of Redis, for example 127.0.0.1:6379.");
            var options = ConfigurationOptions.Parse(connectionString);
            options.AbortOnConnectFail = false;
            options.LoggerFactory ??= services.GetService<ILoggerFactory>();
            return ConnectionMultiplexer.Connect(options);
        });
#endif
}
