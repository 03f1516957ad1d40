namespace NewarBots.Manager.Telemetry;

internal static class TelemetryRegistration
{
    /// <summary>What is measured by itself, beside what every step tells <see cref="BotMetrics"/>.</summary>
    public static TBuilder AddTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHostedService<RedisLatency>();
        builder.Services.AddHostedService<BotUsage>();
        return builder;
    }
}
