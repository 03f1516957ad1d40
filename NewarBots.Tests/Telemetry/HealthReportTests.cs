using System.Text.Json.Nodes;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Telemetry;

public sealed class HealthReportTests(RedisServer redis) : IClassFixture<RedisServer>
{
    private static readonly (string Name, string Value)[] ProxyHeaders =
        [("X-Forwarded-For", "203.0.113.7"), ("X-Real-IP", "203.0.113.7"), ("Forwarded", "for=203.0.113.7"), ("Host", "bots.example.com")];

    [Fact]
    public async Task Callers_behind_a_proxy_get_the_status_without_details()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("ASPNETCORE_ENVIRONMENT", "Production"));

        Assert.NotNull((await manager.GetAsync("/health")).Body!["checks"]!["redis"]);
        foreach (var (name, value) in ProxyHeaders)
        {
            foreach (var path in new[] { "/health", "/alive" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                Assert.True(request.Headers.TryAddWithoutValidation(name, value));
                using var response = await manager.Api.SendAsync(request);
                var report = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
                Assert.Equal("status", Assert.Single(report).Key);
            }
        }
    }
}
