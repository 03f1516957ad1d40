using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Telemetry;

public sealed class TelemetryAwayTests(RedisServer redis) : IClassFixture<RedisServer>
{
    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task Unreachable_endpoint_causes_exactly_one_warning(string protocol)
    {
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{ManagerProcess.FreePort()}"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "200"));

        for (var request = 0; request < 20; request++)
            Assert.Equal(HttpStatusCode.OK, (await manager.GetAsync("/bots")).Status);
        await Eventually.TrueAsync(() => manager.Output.Contains("telemetry is dropped", StringComparison.Ordinal));
        // Enough failures for a second warning.
        for (var request = 0; request < 200; request++)
            await manager.GetAsync("/bots");

        var warnings = manager.Output.Split('\n').Where(line => line.StartsWith("warn:", StringComparison.Ordinal)
            || line.StartsWith("fail:", StringComparison.Ordinal)).ToList();
        Assert.True(warnings.Count(line => line.Contains("TelemetryExportMonitor", StringComparison.Ordinal)) == 1, manager.Output);
        Assert.DoesNotContain(warnings, line => line.Contains("Polly", StringComparison.Ordinal) || line.Contains("Http", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task Unresponsive_endpoint_does_not_delay_requests(string protocol)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://{silent.LocalEndpoint}"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"));

        for (var request = 0; request < 20; request++)
            Assert.Equal(HttpStatusCode.OK, (await manager.GetAsync("/bots")).Status);
        await Eventually.TrueAsync(() => manager.Output.Contains("telemetry is dropped", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Endpoint_that_accepts_only_traces_causes_one_warning_with_the_reason()
    {
        var traces = 0;
        await using var collector = WebApplication.CreateSlimBuilder().Build();
        var endpoint = $"http://127.0.0.1:{ManagerProcess.FreePort()}";
        collector.Urls.Add(endpoint);
        collector.MapPost("/v1/traces", () => Interlocked.Increment(ref traces));
        await collector.StartAsync();
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"));
        await Eventually.TrueAsync(() => manager.Output.Contains("telemetry is dropped", StringComparison.Ordinal));

        // Successful exports of traces meanwhile must not be logged as a recovery.
        var before = traces;
        await Eventually.TrueAsync(async () =>
        {
            // Rejected, and traced: requests that only read are not.
            await manager.PostAsync("/bots", "{}");
            return Volatile.Read(ref traces) >= before + 5;
        });

        Assert.Equal(2, manager.Output.Split("telemetry is dropped").Length);
        Assert.Contains("404", manager.Output.Split("telemetry is dropped")[1].Split('\n')[0], StringComparison.Ordinal);
        Assert.DoesNotContain("works again", manager.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recovered_endpoint_is_logged()
    {
        var port = ManagerProcess.FreePort();
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{port}"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"));
        await Eventually.TrueAsync(() => manager.Output.Contains("telemetry is dropped", StringComparison.Ordinal));

        await using var collector = WebApplication.CreateSlimBuilder().Build();
        collector.Urls.Add($"http://127.0.0.1:{port}");
        collector.MapPost("/v1/{signal}", () => Results.Ok());
        await collector.StartAsync();

        await Eventually.TrueAsync(() => manager.Output.Contains("works again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("localhost:4317")]
    [InlineData("nonsense")]
    public async Task Invalid_endpoint_is_rejected_at_startup_with_the_settings_name(string endpoint)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await (await ManagerProcess.StartAsync(redis.Configuration, ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint))).DisposeAsync());

        Assert.Contains($"OTEL_EXPORTER_OTLP_ENDPOINT is '{endpoint}'", failure.Message, StringComparison.Ordinal);
    }
}
