using System.Net.Http.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.AppHost.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

public sealed class ManagerHealthTests(RedisServer redis) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task A_manager_without_Docker_is_unhealthy_in_the_dashboard_and_says_why()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Launching__DockerHost", "unix:///nowhere.sock"));

        var health = (await manager.Api.GetFromJsonAsync<ManagerHealth>("/health"))!.OnDashboard;

        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.StartsWith("docker: ", health.Description, StringComparison.Ordinal);
        Assert.Contains("unix:///nowhere.sock", health.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_is_well_has_nothing_to_say()
    {
        Assert.Equal(HealthCheckResult.Healthy(), new ManagerHealth("healthy", new Dictionary<string, ManagedCheck> { ["ffmpeg"] = new("healthy", "7.1") }).OnDashboard);
    }

    [Fact]
    public void Whoever_is_told_no_reason_shows_none()
    {
        Assert.Equal((HealthStatus.Unhealthy, ""), (new ManagerHealth("degraded", null).OnDashboard.Status, new ManagerHealth("degraded", null).OnDashboard.Description));
    }
}
