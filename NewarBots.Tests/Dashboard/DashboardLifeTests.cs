using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using NewarBots.Tests.Lives;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>A bot's whole life, driven through the dashboard only.</summary>
public sealed partial class DashboardLifeTests(RecordingHost host, DashboardBrowser browser) : IClassFixture<RecordingHost>, IClassFixture<DashboardBrowser>
{
    private static readonly LocatorAssertionsToBeVisibleOptions DuringTheMeeting = new() { Timeout = 180_000 };

    private static readonly LocatorAssertionsToBeVisibleOptions AfterTheMeeting = new() { Timeout = 120_000 };

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Bot_is_sent_watched_listened_to_downloaded_and_deleted_from_the_dashboard()
    {
        await using var open = await browser.OpenAsync(host.Manager);
        var page = open.Page;
        await Expect(page.GetByText("No bots yet")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a bot" }).ClickAsync();
        await page.GetByLabel("Rehearsal").SelectOptionAsync("three-speakers");
        await page.GetByLabel("Name in the meeting").FillAsync("Notes <b>");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Notes <b>" })).ToBeVisibleAsync();
        var id = BotPage.Match(page.Url).Groups["id"].Value;
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Live audio" })).ToBeVisibleAsync(DuringTheMeeting);
        await Expect(page.GetByText("dBFS")).ToBeVisibleAsync(DuringTheMeeting);
        await Expect(page.Locator(".speakers.is-speaking")).ToBeVisibleAsync(DuringTheMeeting);
        // All speak at once, so the voices have no names, and are listed beside the participants.
        await Expect(page.Locator(".participants tbody tr").Filter(new() { HasText = "Unknown" })).ToHaveCountAsync(3);
        await Expect(page.Locator(".participants tbody tr").Filter(new() { HasNotText = "Unknown" })).ToHaveCountAsync(3);
        await page.GetByRole(AriaRole.Button, new() { Name = "Screenshot" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = Picture })).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Recording", Exact = true })).ToBeVisibleAsync(AfterTheMeeting);
        await Expect(page.Locator(".status").First).ToHaveTextAsync("completed");
        await Expect(page.Locator(".timeline .phase-name")).ToHaveTextAsync(
            ["queued", "launching", "joining", "recording", "leaving", "finalizing", "completed"]);
        await Expect(page.Locator(".wave path")).ToBeAttachedAsync();
        await Expect(page.Locator(".lane")).ToHaveCountAsync(3);
        // All speak at once, so the voices have no names, and are listed beside the participants.
        await Expect(page.Locator(".participants tbody tr").Filter(new() { HasText = "Unknown" })).ToHaveCountAsync(3);
        await Expect(page.Locator(".participants tbody tr").Filter(new() { HasNotText = "Unknown" })).ToHaveCountAsync(3);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Screenshot" })).ToBeHiddenAsync();
        await page.Locator("summary").Filter(new() { HasText = "Log" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Log, new() { Name = "Log" })).Not.ToBeEmptyAsync();
        Assert.Empty(await open.FindFlawsAsync());

        var position = page.GetByRole(AriaRole.Slider, new() { Name = "Position in the recording" });
        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("readyState", 4);
        var box = await position.BoundingBoxAsync();
        await position.ClickAsync(new() { Position = new() { X = box!.Width / 2, Y = 20 } });
        var half = await page.EvaluateAsync<double>("document.querySelector('audio').duration") / 2;
        Assert.InRange(await page.EvaluateAsync<double>("document.querySelector('audio').currentTime"), half - 1, half + 1);
        await position.PressAsync("ArrowRight");
        Assert.InRange(await page.EvaluateAsync<double>("document.querySelector('audio').currentTime"), half + 4, half + 6);

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Download as mp3" }).ClickAsync());
        Assert.Matches(@"^\d{4}-\d\d-\d\d Notes b\.mp3$", download.SuggestedFilename);

        await using var elsewhere = await browser.OpenAsync(host.Manager);
        await Expect(elsewhere.Page.Locator($"a[href='#/bots/{id}']")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByText("No bots yet")).ToBeVisibleAsync();
        await Expect(elsewhere.Page.GetByText("No bots yet")).ToBeVisibleAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await host.Manager.GetAsync($"/bots/{id}")).Status);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(host.Manager.Storage, "recordings", "final"), $"*{id}*", SearchOption.AllDirectories));
        Assert.Empty(open.ConsoleErrors);
    }

    [GeneratedRegex("#/bots/(?<id>[0-9a-z]+)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex BotPage { get; }

    [GeneratedRegex("^The bot’s browser at ", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Picture { get; }
}
