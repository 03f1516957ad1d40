using System.Net.Http.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.AppHost.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

public sealed class ManagerHealthTests(RedisServer redis) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task Manager_without_Docker_is_shown_as_unhealthy_with_the_reason()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Launching__DockerHost", "unix:///nowhere.sock"));

        var health = (await manager.Api.GetFromJsonAsync<ManagerHealth>("/health"))!.ToResult();

        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.StartsWith("docker: ", health.Description, StringComparison.Ordinal);
        Assert.Contains("unix:///nowhere.sock", health.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Healthy_manager_shows_no_description()
    {
        Assert.Equal(HealthCheckResult.Healthy(), new ManagerHealth("healthy", new Dictionary<string, ManagerHealthCheck> { ["ffmpeg"] = new("healthy", "7.1") }).ToResult());
    }

    [Fact]
    public void Report_without_checks_shows_no_reason()
    {
        Assert.Equal((HealthStatus.Unhealthy, ""), (new ManagerHealth("degraded", null).ToResult().Status, new ManagerHealth("degraded", null).ToResult().Description));
    }
}
