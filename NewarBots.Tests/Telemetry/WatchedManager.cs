using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Telemetry;

/// <summary>A manager with a real Redis and the real Aspire dashboard.</summary>
public sealed class WatchedManager : IAsyncLifetime
{
    private RedisServer _redis = null!;

    internal AspireDashboard Dashboard { get; private set; } = null!;

    internal ManagerProcess Manager { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var bridge = await DockerCli.BridgeAddressAsync();
        Dashboard = await AspireDashboard.StartAsync(otlpHost: bridge);
        _redis = await RedisServer.RunAsync(bridge);
        Manager = await ManagerProcess.StartAsync(_redis.Configuration, ("OTEL_EXPORTER_OTLP_ENDPOINT", Dashboard.OtlpEndpoint));
    }

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await _redis.DisposeAsync();
        await Dashboard.DisposeAsync();
    }

    /// <summary>All spans of the bot's trace, by start time.</summary>
    internal async Task<IReadOnlyList<DashboardSpan>> TraceOfAsync(string id)
    {
        var spans = await Dashboard.SpansAsync();
        var request = spans.SingleOrDefault(
            span => span.Name == "record meeting" && span.Attributes.GetValueOrDefault("newarbots.session") == id);
        return [.. spans.Where(span => span.TraceId == request?.TraceId).OrderBy(span => span.StartedAt)];
    }

    /// <summary>The bot's trace, as soon as it contains this span. Spans are exported within 5 s after their end.</summary>
    internal async Task<IReadOnlyList<DashboardSpan>> TraceWithAsync(string span, string id) => await Eventually.NotNullAsync(
        async () => await TraceOfAsync(id) is var trace && trace.Any(one => one.Name == span) ? trace : null, TimeSpan.FromSeconds(15));
}
