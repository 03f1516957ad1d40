using System.Net;
using System.Net.Http.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.AppHost;

[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class AppHostLifeTests : IAsyncLifetime
{
    private RunningAppHost _host = null!;

    private DistributedApplication App => _host.App;

    private CancellationToken Deadline => _host.Deadline;

    public async ValueTask InitializeAsync() => _host = await RunningAppHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_bot_is_shown_below_the_manager_with_its_log_and_can_be_stopped()
    {
        Assert.True((await App.ResourceCommands.ExecuteCommandAsync("manager", "record-rehearsal", Deadline)).Success);

        var recording = await BotAsync("Recording");
        var manager = await App.ResourceNotifications.WaitForResourceAsync("manager", _ => true, Deadline);
        Assert.Equal("Bot", recording.Snapshot.ResourceType);
        Assert.Equal(manager.ResourceId, Property(recording, "resource.parentName"));
        Assert.Contains("/rehearsal/", Property(recording, "resource.source"), StringComparison.Ordinal);
        Assert.Equal(ResourceCommandState.Enabled, Assert.Single(recording.Snapshot.Commands).State);
        await LoggedAsync(recording, "Recording");

        Assert.True((await App.ResourceCommands.ExecuteCommandAsync(recording.ResourceId, KnownResourceCommands.StopCommand, Deadline)).Success);

        var completed = await BotAsync("Completed");
        Assert.Equal(recording.ResourceId, completed.ResourceId);
        Assert.Equal("stop_requested", Property(completed, "Reason"));
        Assert.Equal(ResourceCommandState.Hidden, Assert.Single(completed.Snapshot.Commands).State);
        using var audio = await _host.Http.GetAsync(Assert.Single(completed.Snapshot.Urls, url => url.Name == "Recording").Url, Deadline);
        Assert.Equal("audio/ogg", audio.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_manager_shows_its_links_and_is_unhealthy_with_a_reason_without_Docker()
    {
        var manager = await App.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
        var address = _host.ManagerAddress.ToString().TrimEnd('/');
        Assert.Equal(
            [("API", "/scalar"), ("Bots", ""), ("Rehearsal", "/rehearsal")],
            manager.Snapshot.Urls.Select(url => (url.DisplayProperties.DisplayName, url.Url[address.Length..])).Order());

        _host.Engine.Disconnect();
        var unhealthy = await App.ResourceNotifications.WaitForResourceAsync("manager", change => change.Snapshot.HealthStatus is HealthStatus.Unhealthy, Deadline);

        var reason = Assert.Single(unhealthy.Snapshot.HealthReports).Description;
        Assert.StartsWith("docker: ", reason, StringComparison.Ordinal);
        Assert.Contains(_host.Engine.Address, reason, StringComparison.Ordinal);
        _host.Engine.Reconnect();
        await App.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
    }

    [Fact]
    public async Task A_scheduled_bot_is_shown_with_its_start_time_and_can_only_be_stopped_individually()
    {
        var startAt = TimeProvider.System.GetUtcNow().AddHours(1);
        using var accepted = await _host.Http.PostAsJsonAsync(
            new Uri(_host.ManagerAddress, "/bots"), new { meetingUrl = "https://meet.google.com/abc-defg-hij", startAt }, Deadline);
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);

        var scheduled = await BotAsync("Scheduled");
        Assert.Equal($"{startAt:u}", Property(scheduled, "Starts at"));
        Assert.Equal("Bots leaving now: 0.", (await App.ResourceCommands.ExecuteCommandAsync("manager", "stop-all-bots", Deadline)).Message);
        Assert.True((await App.ResourceCommands.ExecuteCommandAsync(scheduled.ResourceId, KnownResourceCommands.StopCommand, Deadline)).Success);

        Assert.Equal(scheduled.ResourceId, (await BotAsync("Failed: stop_requested")).ResourceId);
    }

    [Fact]
    public async Task All_bots_can_be_stopped_together()
    {
        foreach (var _ in Enumerable.Range(0, 2))
            Assert.True((await App.ResourceCommands.ExecuteCommandAsync("manager", "record-rehearsal", Deadline)).Success);
        await BotsAsync(2, "Recording");

        var stopped = await App.ResourceCommands.ExecuteCommandAsync("manager", "stop-all-bots", Deadline);

        Assert.Equal((true, "Bots leaving now: 2."), (stopped.Success, stopped.Message));
        await BotsAsync(2, "Completed");
    }

    private async Task<ResourceEvent> BotAsync(string state) => Assert.Single(await BotsAsync(1, state));

    private async Task<IReadOnlyCollection<ResourceEvent>> BotsAsync(int count, string state)
    {
        var bots = new Dictionary<string, ResourceEvent>();
        await foreach (var change in App.ResourceNotifications.WatchAsync(Deadline))
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
        await foreach (var lines in App.Services.GetRequiredService<ResourceLoggerService>().WatchAsync(resource.ResourceId).WithCancellation(Deadline))
        {
            if (lines.Any(line => line.Content.Contains(text, StringComparison.Ordinal)))
                return;
        }
    }

    private static string? Property(ResourceEvent resource, string name) =>
        resource.Snapshot.Properties.FirstOrDefault(property => property.Name == name)?.Value?.ToString();
}
