using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.AppHost;

/// <summary>Bots below the manager of one running AppHost.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class AppHostLifeTests(SharedAppHost shared) : IClassFixture<SharedAppHost>
{
    private RunningAppHost Host => shared.Host;

    private DistributedApplication App => Host.App;

    private CancellationToken Deadline => Host.Deadline;

    [Fact]
    public async Task A_bot_is_shown_below_the_manager_with_its_log_and_can_be_stopped()
    {
        var record = await App.ResourceCommands.ExecuteCommandAsync("manager", "record-rehearsal", Deadline);
        Assert.True(record.Success, record.Message);
        Assert.EndsWith(" is joining a rehearsal. It ends in about a minute.", record.Message, StringComparison.Ordinal);

        var recording = await BotAsync(record.Message!.Split(' ')[0], "Recording");
        var manager = await App.ResourceNotifications.WaitForResourceAsync("manager", _ => true, Deadline);
        Assert.Equal("Bot", recording.Snapshot.ResourceType);
        Assert.Equal(manager.ResourceId, Property(recording, "resource.parentName"));
        Assert.Contains("/rehearsal/", Property(recording, "resource.source"), StringComparison.Ordinal);
        Assert.Equal(ResourceCommandState.Enabled, Assert.Single(recording.Snapshot.Commands).State);
        await LoggedAsync(recording, "Recording");

        Assert.Equal("NewarBots Recorder is leaving the meeting. Its recording follows in a moment.", await StopAsync(recording));

        var completed = await BotAsync(recording.Resource.Name, "Completed");
        Assert.Equal("stop_requested", Property(completed, "Reason"));
        Assert.Equal(ResourceCommandState.Hidden, Assert.Single(completed.Snapshot.Commands).State);
        using var audio = await Host.Http.GetAsync(Assert.Single(completed.Snapshot.Urls, url => url.Name == "Download").Url, Deadline);
        Assert.Equal("audio/ogg", audio.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task All_bots_can_be_stopped_together_except_scheduled_ones_which_can_be_stopped_individually()
    {
        var startAt = TimeProvider.System.GetUtcNow().AddHours(1);
        var scheduled = await BotAsync(await PostAsync("https://meet.google.com/abc-defg-hij", startAt), "Scheduled");
        Assert.Equal($"{startAt:u}", Property(scheduled, "Starts at"));
        string[] bots = [await PostAsync(Rehearsal("aaa-aaaa-aaa")), await PostAsync(Rehearsal("bbb-bbbb-bbb"))];
        foreach (var bot in bots)
            await BotAsync(bot, "Recording");

        var stopped = await App.ResourceCommands.ExecuteCommandAsync("manager", "stop-all-bots", Deadline);

        Assert.Equal((true, "Bots leaving now: 2."), (stopped.Success, stopped.Message));
        foreach (var bot in bots)
            await BotAsync(bot, "Completed");
        Assert.Equal("NewarBots Recorder will not join the meeting.", await StopAsync(scheduled));
        await BotAsync(scheduled.Resource.Name, "Cancelled");
    }

    [Fact]
    public async Task The_manager_shows_its_links()
    {
        var manager = await App.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);

        var address = Host.ManagerAddress.ToString().TrimEnd('/');
        Assert.Equal(
            [("API", "/scalar"), ("Bots", ""), ("Rehearsal", "/rehearsal")],
            manager.Snapshot.Urls.Select(url => (url.DisplayProperties.DisplayName, url.Url[address.Length..])).Order());
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task The_manager_is_unhealthy_with_a_reason_while_Docker_is_unreachable()
    {
        await App.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);

        Host.Engine.Disconnect();
        try
        {
            var unhealthy = await App.ResourceNotifications.WaitForResourceAsync("manager", change => change.Snapshot.HealthStatus is HealthStatus.Unhealthy, Deadline);
            var reason = Assert.Single(unhealthy.Snapshot.HealthReports).Description;
            Assert.StartsWith("docker: ", reason, StringComparison.Ordinal);
            Assert.Contains(Host.Engine.Address, reason, StringComparison.Ordinal);
        }
        finally
        {
            Host.Engine.Reconnect();
        }

        await App.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
    }

    private string Rehearsal(string meeting) => $"{Host.ManagerAddress}rehearsal/{meeting}?participants=2&admitAfter=0&duration=300";

    /// <returns>The name of the bot's resource.</returns>
    private async Task<string> PostAsync(string meetingUrl, DateTimeOffset? startAt = null)
    {
        using var response = await Host.Http.PostAsJsonAsync(new Uri(Host.ManagerAddress, "/bots"), new { meetingUrl, startAt }, Deadline);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>(Deadline))!["containerName"]!;
    }

    private Task<ResourceEvent> BotAsync(string name, string state) =>
        App.ResourceNotifications.WaitForResourceAsync(name, change => change.Snapshot.State?.Text == state, Deadline);

    /// <returns>The answer of the bot's stop command.</returns>
    private async Task<string?> StopAsync(ResourceEvent bot)
    {
        var stop = await App.ResourceCommands.ExecuteCommandAsync(bot.ResourceId, KnownResourceCommands.StopCommand, Deadline);
        Assert.True(stop.Success, stop.Message);
        return stop.Message;
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

/// <summary>One AppHost for the tests of a class.</summary>
public sealed class SharedAppHost : IAsyncLifetime
{
    internal RunningAppHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await RunningAppHost.StartAsync();

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}
