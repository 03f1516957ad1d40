using System.Text.Json;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using NewarBots.AppHost;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

public sealed class AppHostModelTests
{
    [Fact]
    public async Task The_model_contains_Redis_the_recorder_image_the_manager_and_its_parameters()
    {
        await using var builder = await CreateAsync();

        // Aspire adds a helper that rebuilds the manager.
        Assert.Equal(
            ["allowed-meeting-hosts", "manager", "manager-key", "max-concurrent-bots", "recorder-image", "redis", "redis-image", "storage-path"],
            builder.Resources.Select(resource => resource.Name).Except(["manager-rebuilder"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Redis_is_persistent_with_a_fixed_port_and_without_TLS()
    {
        await using var builder = await CreateAsync();

        var redis = Find<RedisResource>(builder, "redis");

        Assert.Equal(ContainerLifetime.Persistent, Assert.Single(redis.Annotations.OfType<ContainerLifetimeAnnotation>()).Lifetime);
        var volume = Assert.Single(redis.Annotations.OfType<ContainerMountAnnotation>());
        Assert.Equal((ContainerMountType.Volume, "newarbots-redis-18890", "/data", false), (volume.Type, volume.Source, volume.Target, volume.IsReadOnly));
        var endpoint = Assert.Single(redis.Annotations.OfType<EndpointAnnotation>());
        Assert.Equal((18890, "redis"), (endpoint.Port, endpoint.UriScheme));
    }

    [Fact]
    public async Task Redis_has_the_limits_of_the_deployment()
    {
        var deployment = await File.ReadAllTextAsync(Repository.PathOf("deploy", "compose.yaml"), TestContext.Current.CancellationToken);
        await using var builder = await CreateAsync();

        var redis = Find<RedisResource>(builder, "redis");
        var context = new CommandLineArgsCallbackContext([], redis) { ExecutionContext = builder.ExecutionContext };
        foreach (var annotation in redis.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            await annotation.Callback(context);
        var arguments = context.Args.OfType<string>().ToArray();

        string[] limits = ["--appendonly", "--maxmemory", "--maxmemory-policy", "--proto-max-bulk-len", "--client-query-buffer-limit", "--maxmemory-clients", "--acllog-max-len"];
        foreach (var limit in limits)
        {
            var value = arguments[Array.IndexOf(arguments, limit) + 1];
            Assert.Matches($@"{limit}\s{Regex.Escape(value)}\s", deployment);
        }
    }

    [Fact]
    public async Task Redis_runs_an_image_that_is_pulled_or_built_before()
    {
        await using var builder = await CreateAsync();

        var redis = Find<RedisResource>(builder, "redis");

        var image = redis.Annotations.OfType<ContainerImageAnnotation>().Last();
        Assert.Equal((null, "newarbots/redis"), (image.Registry, image.Image));
        var wait = Assert.Single(redis.Annotations.OfType<WaitAnnotation>());
        Assert.Equal(("redis-image", WaitType.WaitForCompletion), (wait.Resource.Name, wait.WaitType));
    }

    [Fact]
    public async Task A_Redis_of_the_user_replaces_the_container()
    {
        await using var builder = await CreateAsync("--ConnectionStrings:redis=redis.example.org:6379");

        Assert.Empty(builder.Resources.OfType<RedisResource>());
        Assert.DoesNotContain(builder.Resources, resource => resource.Name == "redis-image");
        var settings = await SettingsAsync(builder);
        var redis = Assert.IsAssignableFrom<IValueProvider>(settings["ConnectionStrings__redis"]);
        Assert.Equal("redis.example.org:6379", await redis.GetValueAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Telemetry_goes_to_the_users_endpoint_if_one_is_set()
    {
        await using var builder = await CreateAsync(
            "--ConnectionStrings:redis=redis.example.org:6379", "--OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.example.org:4318",
            "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");

        var settings = await SettingsAsync(builder);

        Assert.Equal("http://collector.example.org:4318", settings["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal("http/protobuf", settings["OTEL_EXPORTER_OTLP_PROTOCOL"]);
        Assert.False(settings.ContainsKey("OTEL_EXPORTER_OTLP_HEADERS"));
        Assert.False(settings.ContainsKey("Telemetry__Dashboard"));
    }

    [Fact]
    public async Task Every_parameter_has_a_description_and_the_key_is_secret()
    {
        await using var builder = await CreateAsync();

        var parameters = builder.Resources.OfType<ParameterResource>().ToList();

        Assert.All(parameters, parameter => Assert.NotNull(parameter.Description));
        Assert.Equal(["manager-key"], parameters.Where(parameter => parameter.Secret).Select(parameter => parameter.Name));
    }

    [Fact]
    public async Task The_manager_waits_for_Redis_and_the_recorder_image()
    {
        await using var builder = await CreateAsync();

        var waits = Find<ProjectResource>(builder, "manager").Annotations.OfType<WaitAnnotation>();

        Assert.Equal(
            [("recorder-image", WaitType.WaitForCompletion), ("redis", WaitType.WaitUntilHealthy)],
            waits.Select(wait => (wait.Resource.Name, wait.WaitType)).OrderBy(wait => wait.Name, StringComparer.Ordinal));
        // It does not wait for a Redis that has failed.
        Assert.Equal(WaitBehavior.StopOnResourceUnavailable, waits.Single(wait => wait.Resource.Name == "redis").WaitBehavior);
    }

    /// <summary>Aspire would print a warning about missing certificates.</summary>
    [Fact]
    public async Task Nothing_uses_TLS()
    {
        await using var builder = await CreateAsync();

        Assert.DoesNotContain(builder.Resources, resource => resource.Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.UriScheme is "https"));
#pragma warning disable ASPIRECERTIFICATES001 // These annotations are marked experimental.
        Assert.Equal(
            ["manager", "redis"],
            from resource in builder.Resources
            where resource.Annotations.OfType<HttpsCertificateConfigurationCallbackAnnotation>().Any()
            where resource.Annotations.OfType<HttpsCertificateAnnotation>().Last() is { UseDeveloperCertificate: false, Certificate: null }
            orderby resource.Name
            select resource.Name);
#pragma warning restore ASPIRECERTIFICATES001
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
    public async Task All_invalid_settings_are_reported_before_anything_starts()
    {
        var wrong = await Assert.ThrowsAnyAsync<Exception>(
            () => CreateAsync("--Parameters:max-concurrent-bots=many", "--Redis:Port=0", "--Start:Timeout=soon"));

        Assert.Equal(
            [
                "Redis__Port must be a port, 1 to 65535 (it is '0').",
                "Parameters__max-concurrent-bots must be an integer, 1 or more (it is 'many').",
                "Start__Timeout must be a duration above zero as hours:minutes:seconds, for example 00:05:00 (it is 'soon').",
            ],
            Assert.IsType<InvalidSettingsException>(wrong.GetBaseException()).Faults);
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
            Assert.False(resources.TryGetProperty("redis-image", out _));
            Assert.StartsWith("docker.io/library/redis:", resources.GetProperty("redis").GetProperty("image").GetString(), StringComparison.Ordinal);
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

    /// <summary>The environment variables that the manager gets: strings, and references to other resources.</summary>
    private static async Task<Dictionary<string, object>> SettingsAsync(IDistributedApplicationTestingBuilder builder)
    {
        var manager = Find<ProjectResource>(builder, "manager");
        var context = new EnvironmentCallbackContext(builder.ExecutionContext, manager);
        foreach (var annotation in manager.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await annotation.Callback(context);
        return context.EnvironmentVariables;
    }

    private static Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] args) =>
        DistributedApplicationTestingBuilder.CreateAsync<Projects.NewarBots_AppHost>(args, TestContext.Current.CancellationToken);

    private static T Find<T>(IDistributedApplicationTestingBuilder builder, string name) where T : IResource =>
        Assert.IsType<T>(Assert.Single(builder.Resources, resource => resource.Name == name));
}
