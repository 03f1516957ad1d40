using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Telemetry;

[Trait(LifeTests.Group, LifeTests.Name)]
public sealed partial class MetricsLifeTests
{
    [Fact]
    public async Task A_bots_metrics_are_exported_over_OTLP()
    {
        var names = new ConcurrentDictionary<string, bool>();
        await using var collector = WebApplication.CreateSlimBuilder().Build();
        var endpoint = $"http://127.0.0.1:{ManagerProcess.FreePort()}";
        collector.Urls.Add(endpoint);
        collector.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            // Protocol buffers contain strings as plain UTF-8.
            foreach (Match name in OurNames.Matches(Encoding.Latin1.GetString(body.ToArray())))
                names[$"{signal} {name.Value}"] = true;
        });
        await collector.StartAsync();
        await using var host = await LightHost.StartAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_METRIC_EXPORT_INTERVAL", "500"));

        var id = await host.Manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await host.RecordedAsync(id, seconds: 2);
        await host.Manager.PostAsync($"/bots/{id}/stop");
        await host.Manager.UntilAsync(id, TimeSpan.FromSeconds(60), "completed");

        string[] expected =
        [
            "newarbots.bots", "newarbots.bot.ends", "newarbots.queue.duration", "newarbots.launch.duration", "newarbots.time_to_recording",
            "newarbots.recorded", "newarbots.chunks", "newarbots.finalization.duration", "newarbots.docker.duration", "newarbots.redis.duration",
        ];
        await Eventually.TrueAsync(() => expected.All(name => names.ContainsKey($"metrics {name}")));
    }

    [GeneratedRegex(@"newarbots\.[a-z_.]+[a-z]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OurNames { get; }
}
