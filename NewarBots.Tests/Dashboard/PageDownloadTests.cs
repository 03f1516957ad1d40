using Microsoft.Playwright;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>Downloads of a manager that converts slowly, and not into everything.</summary>
public sealed class PageDownloadTests(PageBrowser browser) : IClassFixture<PageBrowser>
{
    private static readonly PageRunAndWaitForDownloadOptions OnceAskedAgain = new() { Timeout = 60_000 };

    [Fact]
    public async Task A_format_that_takes_long_comes_when_it_is_made_and_one_that_cannot_be_made_says_why()
    {
        await using var queueing = new QueueingManager();
        await queueing.InitializeAsync();
        var manager = queueing.Manager;
        var id = await PlacedBots.RecordedAsync(queueing, "Slow");
        var (ffmpeg, gate) = (Path.Combine(manager.Storage, "ffmpeg"), Path.Combine(manager.Storage, "gate"));
        await File.WriteAllTextAsync(
            ffmpeg,
            $"#!/bin/sh\ncase \"$*\" in *libmp3lame*) while [ ! -e '{gate}' ]; do sleep 0.05; done;; *flac*) echo no flac today >&2; exit 1;; esac; exec ffmpeg \"$@\"\n",
            TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(ffmpeg, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        manager.Kill();
        await manager.StartAsync(("Finalizing__FFmpegPath", ffmpeg), ("Finalizing__ConversionPatience", "00:00:00.2"));
        await using var open = await browser.OpenAsync(manager, $"/#/bots/{id}");
        var page = open.Page;

        var refused = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Link, new() { Name = "Download as mp3" }).ClickAsync(), response => response.Url.EndsWith("?format=mp3", StringComparison.Ordinal));
        Assert.Equal(503, refused.Status);
        await Expect(page.GetByText("Converting to mp3…")).ToBeVisibleAsync();
        Assert.Empty(await open.FlawsAsync());
        var download = await page.RunAndWaitForDownloadAsync(() => File.WriteAllTextAsync(gate, ""), OnceAskedAgain);
        Assert.Equal($"{id}.mp3", download.SuggestedFilename);
        await Expect(page.GetByText("Converting to mp3…")).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Link, new() { Name = "Download as flac" }).ClickAsync();
        await Expect(page.GetByText("There is no flac of it")).ToContainTextAsync("no flac today");
        Assert.Empty(await open.FlawsAsync());
    }
}
