using System.Net.Http.Json;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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
    public async Task One_check_waits_until_a_manager_that_is_starting_answers()
    {
        var requests = 0;
        var port = ManagerProcess.FreePort();
        await using var manager = WebApplication.CreateSlimBuilder().Build();
        manager.Urls.Add($"http://127.0.0.1:{port}");
        manager.MapGet("/health", context =>
        {
            if (++requests > 2)
                return context.Response.WriteAsJsonAsync(new { status = "healthy" });
            context.Abort();
            return Task.CompletedTask;
        });
        await manager.StartAsync(TestContext.Current.CancellationToken);
        var endpoint = new EndpointAnnotation(ProtocolType.Tcp, "http");
        endpoint.AllocatedEndpoint = new(endpoint, "127.0.0.1", port);
        using var api = new ManagerApi(new(new ProjectResource("manager"), endpoint), key: "");

        Assert.Equal(HealthCheckResult.Healthy(), await api.CheckHealthAsync(TestContext.Current.CancellationToken));

        Assert.Equal(3, requests);
        Assert.True(api.HasAnswered);
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
