using Microsoft.Playwright;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>A recording that is heard on its bot's page before it is finished.</summary>
public sealed class ListeningPageTests(LightHost host, PageBrowser browser) : IClassFixture<LightHost>, IClassFixture<PageBrowser>
{
    private static readonly LocatorAssertionsToBeVisibleOptions OnceItIsThere = new() { Timeout = 60_000 };

    [Fact]
    public async Task What_there_is_so_far_is_heard_while_the_bot_records_on()
    {
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=180"));
        await using var open = await browser.OpenAsync(host.Manager, $"/#/bots/{id}");
        var page = open.Page;
        var listen = page.GetByRole(AriaRole.Button, new() { Name = "Listen to what there is so far" });
        await Expect(listen).ToBeVisibleAsync(OnceItIsThere);
        Assert.Empty(await open.FlawsAsync());

        await listen.PressAsync("Enter");

        var player = page.Locator("audio[aria-label='Recording so far']");
        await Expect(player).ToHaveJSPropertyAsync("paused", false);
        await Eventually.TrueAsync(async () => await player.EvaluateAsync<double>("audio => audio.currentTime") > 1);
        Assert.InRange(await player.EvaluateAsync<double>("audio => audio.duration"), 9, 180);
        Assert.Equal("recording", (string?)(await host.Manager.GetAsync($"/bots/{id}")).Body!["status"]);
        Assert.Empty(await open.FlawsAsync());

        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Recording", Exact = true })).ToBeVisibleAsync(OnceItIsThere);
        await Expect(player).ToHaveCountAsync(0);
        Assert.Empty(open.Complaints);
    }
}
