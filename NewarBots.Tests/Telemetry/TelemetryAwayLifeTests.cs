using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Telemetry;

[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class TelemetryAwayLifeTests
{
    /// <summary>Limit for leaving, finalizing and removing the container on a busy machine; less than one export takes.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task Unresponsive_telemetry_endpoint_does_not_delay_the_end_of_a_bot(string protocol)
    {
        using var silent = new TcpListener(IPAddress.Parse(await DockerCli.BridgeAddressAsync()), 0);
        silent.Start();
        await using var host = await LightHost.StartAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://{silent.LocalEndpoint}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "120000"));
        var id = await host.Manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await host.RecordedAsync(id, seconds: 6);

        var sinceStop = Stopwatch.StartNew();
        await host.Manager.PostAsync($"/bots/{id}/stop");
        var bot = await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(4), "completed");

        Assert.Equal("stop_requested", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        Assert.True(sinceStop.Elapsed < EndTimeout, $"It took {sinceStop.Elapsed}.\n{await host.AccountOfAsync(id)}");
    }
}
