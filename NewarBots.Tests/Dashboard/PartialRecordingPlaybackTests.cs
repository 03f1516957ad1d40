using Microsoft.Playwright;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>Listening to a recording on its bot's page while the bot is still recording.</summary>
public sealed class PartialRecordingPlaybackTests(LightHost host, DashboardBrowser browser) : IClassFixture<LightHost>, IClassFixture<DashboardBrowser>
{
    private static readonly LocatorAssertionsToBeVisibleOptions WithinAMinute = new() { Timeout = 60_000 };

    [Fact]
    public async Task Partial_recording_plays_while_the_bot_keeps_recording()
    {
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=180"));
        await using var open = await browser.OpenAsync(host.Manager, $"/#/bots/{id}");
        var page = open.Page;
        var listen = page.GetByRole(AriaRole.Button, new() { Name = "Listen to the recording so far" });
        await Expect(listen).ToBeVisibleAsync(WithinAMinute);
        Assert.Empty(await open.FindFlawsAsync());

        await listen.PressAsync("Enter");

        var player = page.Locator("audio[aria-label='Recording so far']");
        await Expect(player).ToHaveJSPropertyAsync("paused", false, new() { Timeout = 30_000 });
        await Eventually.TrueAsync(async () => await player.EvaluateAsync<double>("audio => audio.currentTime") > 1);
        Assert.InRange(await player.EvaluateAsync<double>("audio => audio.duration"), 9, 180);
        // A recording that is shorter than 30 s plays from its beginning.
        await Eventually.TrueAsync(async () => (double)(await host.Manager.GetAsync($"/bots/{id}")).Body!["recordedSeconds"]! > 45, TimeSpan.FromMinutes(2));
        await page.GetByRole(AriaRole.Button, new() { Name = "Listen to the last 30 s" }).ClickAsync();
        await Eventually.TrueAsync(async () => await player.EvaluateAsync<double>("audio => audio.currentTime") > 5);
        Assert.InRange(await player.EvaluateAsync<double>("audio => audio.duration - audio.currentTime"), 0, 31);
        Assert.Equal("recording", (string?)(await host.Manager.GetAsync($"/bots/{id}")).Body!["status"]);
        Assert.Empty(await open.FindFlawsAsync());

        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Recording", Exact = true })).ToBeVisibleAsync(WithinAMinute);
        await Expect(player).ToHaveCountAsync(0);
        Assert.Empty(open.ConsoleErrors);
    }
}
