namespace NewarBots.Manager.Telemetry;

internal static class TelemetryRegistration
{
    /// <summary>What is measured by itself, beside what every step tells <c>BotMetrics</c>.</summary>
    public static TBuilder AddTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHostedService<RedisLatency>();
        return builder;
    }
}
