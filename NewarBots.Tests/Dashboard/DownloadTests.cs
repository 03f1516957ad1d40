using Microsoft.Playwright;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>Downloads from a manager that converts slowly and fails for one format.</summary>
public sealed class DownloadTests(DashboardBrowser browser) : IClassFixture<DashboardBrowser>
{
    private static readonly PageRunAndWaitForDownloadOptions AfterARetry = new() { Timeout = 60_000 };

    [Fact]
    public async Task Slow_conversion_downloads_once_it_is_done_and_a_failed_one_shows_the_error()
    {
        await using var queueing = new QueueingManager();
        await queueing.InitializeAsync();
        var manager = queueing.Manager;
        var id = await PlacedBots.RecordedAsync(queueing, "Slow");
        var scripts = OtherUsers.MakeFolder();
        var (ffmpeg, gate) = (Path.Combine(scripts, "ffmpeg"), Path.Combine(scripts, "gate"));
        await File.WriteAllTextAsync(
            ffmpeg,
            $"#!/bin/sh\ncase \"$*\" in *libmp3lame*) while [ ! -e '{gate}' ]; do sleep 0.05; done;; *flac*) echo no flac today >&2; exit 1;; esac; exec ffmpeg \"$@\"\n",
            TestContext.Current.CancellationToken);
        OtherUsers.Allow(ffmpeg);
        manager.Kill();
        await manager.StartAsync(("Finalizing__FFmpegPath", ffmpeg), ("Finalizing__ConversionTimeout", "00:00:05"));
        await using var open = await browser.OpenAsync(manager, $"/#/bots/{id}");
        var page = open.Page;

        var refused = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Link, new() { Name = "Download as mp3" }).ClickAsync(), response => response.Url.EndsWith("?format=mp3", StringComparison.Ordinal));
        Assert.Equal(503, refused.Status);
        await Expect(page.GetByText("Converting to mp3…")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
        var download = await page.RunAndWaitForDownloadAsync(() => File.WriteAllTextAsync(gate, ""), AfterARetry);
        Assert.Matches(@"^\d{4}-\d\d-\d\d Slow\.mp3$", download.SuggestedFilename);
        await Expect(page.GetByText("Converting to mp3…")).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Link, new() { Name = "Download as flac" }).ClickAsync();
        await Expect(page.GetByText("The conversion to flac failed")).ToContainTextAsync("FFmpeg rejected the recorded audio.", new() { Timeout = 30_000 });
        Assert.Empty(await open.FindFlawsAsync());
    }
}
