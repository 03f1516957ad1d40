using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost.WithAspire;

public sealed class AppHostModelTests
{
    [Fact]
    public async Task The_model_contains_Redis_the_recorder_image_the_manager_and_its_parameters()
    {
        await using var builder = await CreateAsync();

        // Aspire adds a helper that rebuilds the manager.
        Assert.Equal(
            ["allowed-meeting-hosts", "manager", "max-concurrent-bots", "recorder-image", "redis", "storage-path"],
            builder.Resources.Select(resource => resource.Name).Except(["manager-rebuilder"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Redis_is_persistent_with_a_fixed_port_and_without_TLS()
    {
        await using var builder = await CreateAsync();

        var redis = Find<RedisResource>(builder, "redis");

        Assert.Equal(ContainerLifetime.Persistent, Assert.Single(redis.Annotations.OfType<ContainerLifetimeAnnotation>()).Lifetime);
        var volume = Assert.Single(redis.Annotations.OfType<ContainerMountAnnotation>());
        Assert.Equal((ContainerMountType.Volume, "/data", false), (volume.Type, volume.Target, volume.IsReadOnly));
        var endpoint = Assert.Single(redis.Annotations.OfType<EndpointAnnotation>());
        Assert.Equal((18890, "redis"), (endpoint.Port, endpoint.UriScheme));
    }

    [Fact]
    public async Task The_manager_waits_for_Redis_and_the_recorder_image()
    {
        await using var builder = await CreateAsync();

        var waits = Find<ProjectResource>(builder, "manager").Annotations.OfType<WaitAnnotation>();

        Assert.Equal(
            [("recorder-image", WaitType.WaitForCompletion), ("redis", WaitType.WaitUntilHealthy)],
            waits.Select(wait => (wait.Resource.Name, wait.WaitType)).OrderBy(wait => wait.Name, StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_manager_is_not_proxied_and_has_a_health_check()
    {
        await using var builder = await CreateAsync();

        var manager = Find<ProjectResource>(builder, "manager");

        var endpoint = Assert.Single(manager.Annotations.OfType<EndpointAnnotation>());
        Assert.Equal(("http", 8082, false, true), (endpoint.Name, endpoint.Port, endpoint.IsProxied, endpoint.IsExternal));
        Assert.Equal("manager-health", Assert.Single(manager.Annotations.OfType<HealthCheckAnnotation>()).Key);
    }

    [Fact]
    public async Task Stopping_all_bots_asks_for_confirmation()
    {
        await using var builder = await CreateAsync();

        var commands = Find<ProjectResource>(builder, "manager").Annotations.OfType<ResourceCommandAnnotation>().ToDictionary(command => command.Name);

        Assert.Equal("Record a rehearsal", commands["record-rehearsal"].DisplayName);
        Assert.Null(commands["record-rehearsal"].ConfirmationMessage);
        Assert.Equal("Stop all bots", commands["stop-all-bots"].DisplayName);
        Assert.NotNull(commands["stop-all-bots"].ConfirmationMessage);
    }

    [Fact]
    public async Task An_invalid_parameter_is_reported_before_anything_starts()
    {
        var wrong = await Assert.ThrowsAnyAsync<Exception>(() => CreateAsync("--Parameters:max-concurrent-bots=many"));

        Assert.Contains(
            "Parameters:max-concurrent-bots must be an integer, 1 or more (it is 'many').", wrong.GetBaseException().Message, StringComparison.Ordinal);
        Assert.IsType<InvalidParametersException>(wrong.GetBaseException());
    }

    [Fact]
    public async Task The_published_manifest_contains_Redis_with_its_volume_and_the_manager_with_its_settings()
    {
        var folder = Directory.CreateTempSubdirectory("newarbots-");
        try
        {
            var file = Path.Combine(folder.FullName, "manifest.json");
            await using var builder = await CreateAsync(
                "--operation", "publish", "--publisher", "manifest", "--output-path", file,
                "--Parameters:allowed-meeting-hosts=meet.google.com, meet.example.org:8443");
            await using (var app = await builder.BuildAsync(TestContext.Current.CancellationToken))
                await app.RunAsync(TestContext.Current.CancellationToken);

            using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            var resources = manifest.RootElement.GetProperty("resources");
            Assert.False(resources.TryGetProperty("recorder-image", out _));
            Assert.Equal("/data", resources.GetProperty("redis").GetProperty("volumes")[0].GetProperty("target").GetString());
            var settings = resources.GetProperty("manager").GetProperty("env");
            Assert.Equal("{redis.connectionString}", settings.GetProperty("ConnectionStrings__redis").GetString());
            Assert.Equal("{storage-path.value}", settings.GetProperty("Storage__Path").GetString());
            Assert.Equal("{max-concurrent-bots.value}", settings.GetProperty("Launching__MaxConcurrentBots").GetString());
            Assert.Equal("meet.google.com", settings.GetProperty("Meetings__AllowedHosts__0").GetString());
            Assert.Equal("meet.example.org:8443", settings.GetProperty("Meetings__AllowedHosts__1").GetString());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] args) =>
        DistributedApplicationTestingBuilder.CreateAsync<Projects.NewarBots_AppHost>(args, TestContext.Current.CancellationToken);

    private static T Find<T>(IDistributedApplicationTestingBuilder builder, string name) where T : IResource =>
        Assert.IsType<T>(Assert.Single(builder.Resources, resource => resource.Name == name));
}
