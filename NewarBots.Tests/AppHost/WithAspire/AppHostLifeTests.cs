using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Bots;
using NewarBots.Tests.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost.WithAspire;

/// <summary>Runs the whole AppHost with the real orchestrator, its own Redis and storage folder, and a manager that requires keys.</summary>
public sealed class AppHostLifeTests : IAsyncLifetime
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly string _stack = $"apphost-{SessionId.New(TimeProvider.System)}";
    private readonly DirectoryInfo _storage = Directory.CreateTempSubdirectory("newarbots-");
    private readonly EngineProxy _engine = new();
    private readonly CancellationTokenSource _timeout = new(Timeout, TimeProvider.System);
    private readonly HttpClient _http = new();
    private DistributedApplication _app = null!;

    private CancellationToken Deadline => _timeout.Token;

    public async ValueTask InitializeAsync()
    {
        var (key, secret) = KeyFileTests.Make("root", AccessRole.Admin);
        await new KeyFile(new(_storage.FullName), TimeProvider.System, NullLogger<KeyFile>.Instance).ChangeAsync(list => list.Add(key), Deadline);
        _http.DefaultRequestHeaders.Add("X-API-Key", secret.Text);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.NewarBots_AppHost>(
            [$"--Parameters:storage-path={_storage.FullName}", $"--Parameters:manager-key={secret.Text}"], Deadline);
        var redis = builder.CreateResourceBuilder(builder.Resources.OfType<RedisResource>().Single()).WithLifetime(ContainerLifetime.Session);
        redis.Resource.Annotations.Remove(redis.Resource.Annotations.OfType<ContainerMountAnnotation>().Single());
        redis.WithEndpoint("tcp", endpoint => endpoint.Port = null);
        builder.CreateResourceBuilder(builder.Resources.OfType<ProjectResource>().Single())
            .WithEnvironment("Launching__Stack", _stack)
            .WithEnvironment("Launching__DockerHost", _engine.Address)
            .WithEndpoint("http", endpoint => endpoint.Port = endpoint.TargetPort = FreePort());
        _app = await builder.BuildAsync(Deadline);
        await _app.StartAsync(Deadline);
        await _app.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await DockerCli.RemoveStackAsync(_stack);
        await _engine.DisposeAsync();
        _http.Dispose();
        _timeout.Dispose();
        _storage.Delete(recursive: true);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_bot_is_shown_below_the_manager_with_its_log_and_can_be_stopped()
    {
        Assert.True((await _app.ResourceCommands.ExecuteCommandAsync("manager", "record-rehearsal", Deadline)).Success);

        var recording = await BotAsync("Recording");
        var manager = await _app.ResourceNotifications.WaitForResourceAsync("manager", _ => true, Deadline);
        Assert.Equal("Bot", recording.Snapshot.ResourceType);
        Assert.Equal(manager.ResourceId, Property(recording, "resource.parentName"));
        Assert.Contains("/rehearsal/", Property(recording, "resource.source"), StringComparison.Ordinal);
        Assert.Equal(ResourceCommandState.Enabled, Assert.Single(recording.Snapshot.Commands).State);
        await LoggedAsync(recording, "Recording");

        Assert.True((await _app.ResourceCommands.ExecuteCommandAsync(recording.ResourceId, KnownResourceCommands.StopCommand, Deadline)).Success);

        var completed = await BotAsync("Completed");
        Assert.Equal(recording.ResourceId, completed.ResourceId);
        Assert.Equal("stop_requested", Property(completed, "Reason"));
        Assert.Equal(ResourceCommandState.Hidden, Assert.Single(completed.Snapshot.Commands).State);
        using var audio = await _http.GetAsync(Assert.Single(completed.Snapshot.Urls, url => url.Name == "Recording").Url, Deadline);
        Assert.Equal("audio/ogg", audio.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task The_manager_shows_its_links_and_is_unhealthy_with_a_reason_without_Docker()
    {
        var manager = await _app.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
        var address = _app.GetEndpoint("manager", "http").ToString().TrimEnd('/');
        Assert.Equal(
            [("API", "/scalar"), ("Bots", ""), ("Rehearsal", "/rehearsal")],
            manager.Snapshot.Urls.Select(url => (url.DisplayProperties.DisplayName, url.Url[address.Length..])).Order());

        _engine.Disconnect();
        var unhealthy = await _app.ResourceNotifications.WaitForResourceAsync("manager", change => change.Snapshot.HealthStatus is HealthStatus.Unhealthy, Deadline);

        var reason = Assert.Single(unhealthy.Snapshot.HealthReports).Description;
        Assert.StartsWith("docker: ", reason, StringComparison.Ordinal);
        Assert.Contains(_engine.Address, reason, StringComparison.Ordinal);
        _engine.Reconnect();
        await _app.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_scheduled_bot_is_shown_with_its_start_time_and_can_only_be_stopped_individually()
    {
        var startAt = TimeProvider.System.GetUtcNow().AddHours(1);
        using var accepted = await _http.PostAsJsonAsync(
            new Uri(_app.GetEndpoint("manager", "http"), "/bots"), new { meetingUrl = "https://meet.google.com/abc-defg-hij", startAt }, Deadline);
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);

        var scheduled = await BotAsync("Scheduled");
        Assert.Equal($"{startAt:u}", Property(scheduled, "Starts at"));
        Assert.Equal("Bots leaving now: 0.", (await _app.ResourceCommands.ExecuteCommandAsync("manager", "stop-all-bots", Deadline)).Message);
        Assert.True((await _app.ResourceCommands.ExecuteCommandAsync(scheduled.ResourceId, KnownResourceCommands.StopCommand, Deadline)).Success);

        Assert.Equal(scheduled.ResourceId, (await BotAsync("Failed: stop_requested")).ResourceId);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task All_bots_can_be_stopped_together()
    {
        foreach (var _ in Enumerable.Range(0, 2))
            Assert.True((await _app.ResourceCommands.ExecuteCommandAsync("manager", "record-rehearsal", Deadline)).Success);
        await BotsAsync(2, "Recording");

        var stopped = await _app.ResourceCommands.ExecuteCommandAsync("manager", "stop-all-bots", Deadline);

        Assert.Equal((true, "Bots leaving now: 2."), (stopped.Success, stopped.Message));
        await BotsAsync(2, "Completed");
    }

    private async Task<ResourceEvent> BotAsync(string state) => Assert.Single(await BotsAsync(1, state));

    private async Task<IReadOnlyCollection<ResourceEvent>> BotsAsync(int count, string state)
    {
        var bots = new Dictionary<string, ResourceEvent>();
        await foreach (var change in _app.ResourceNotifications.WatchAsync(Deadline))
        {
            if (change.Snapshot.ResourceType == "Bot" && change.Snapshot.State?.Text == state)
                bots[change.ResourceId] = change;
            if (bots.Count == count)
                break;
        }
        return bots.Values;
    }

    private async Task LoggedAsync(ResourceEvent resource, string text)
    {
        await foreach (var lines in _app.Services.GetRequiredService<ResourceLoggerService>().WatchAsync(resource.ResourceId).WithCancellation(Deadline))
        {
            if (lines.Any(line => line.Content.Contains(text, StringComparison.Ordinal)))
                return;
        }
    }

    private static string? Property(ResourceEvent resource, string name) =>
        resource.Snapshot.Properties.FirstOrDefault(property => property.Name == name)?.Value?.ToString();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
