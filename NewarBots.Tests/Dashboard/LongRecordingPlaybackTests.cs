using Microsoft.Playwright;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>The page of a bot that recorded for the maximum duration.</summary>
public sealed class LongRecordingPlaybackTests(QueueingManager queueing, DashboardBrowser browser) : IClassFixture<QueueingManager>, IClassFixture<DashboardBrowser>
{
    private const int Seconds = 4 * 3600;

    /// <summary>The manager decodes four hours of audio first.</summary>
    private static readonly LocatorAssertionsToBeAttachedOptions OnceDecoded = new() { Timeout = 120_000 };

    /// <summary>The left edge and the width of each mark, as fractions of the whole.</summary>
    private const string Extents =
        """
        marks => {
          const box = marks[0].closest('.seek, .ticks, .track > *').getBoundingClientRect();
          return marks.flatMap(mark => { const own = mark.getBoundingClientRect(); return [(own.left - box.left) / box.width, own.width / box.width]; });
        }
        """;

    /// <summary>Half the height of each line of the waveform.</summary>
    private const string Heights = "path => path.getAttribute('d').match(/[^M]+/g).map(line => line.split('V')).map(([from, to]) => (to - from.split(' ')[1]) / 2)";

    [Fact]
    public async Task Four_hour_recording_is_drawn_to_scale_and_plays_from_a_click()
    {
        var id = await PlacedBots.RecordedFourHoursAsync(queueing);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(page.Locator(".ticks")).ToHaveTextAsync("0:001:00:002:00:003:00:00");
        await Expect(page.Locator(".lane")).ToHaveCountAsync(6);
        await Expect(page.Locator(".lane span")).ToHaveCountAsync(Seconds / 10);
        await Expect(page.Locator(".timeline li").Filter(new() { HasText = "recording" })).ToContainTextAsync("4:00:00");
        await Expect(page.GetByText("7 gaps: 7:00 or 2.9 % missing.")).ToBeVisibleAsync();

        var player = page.Locator("audio");
        await Expect(player).ToHaveJSPropertyAsync("readyState", 4);
        Assert.Equal(Seconds, await player.EvaluateAsync<double>("audio => audio.duration"), 0.5);
        var seek = page.GetByRole(AriaRole.Slider, new() { Name = "Position in the recording" });
        var box = (await seek.BoundingBoxAsync())!;
        await seek.ClickAsync(new() { Position = new() { X = box.Width * 7 / 8, Y = 20 } });
        await Expect(player).ToHaveJSPropertyAsync("seeking", false);
        var playedFrom = await player.EvaluateAsync<double>("audio => audio.currentTime");
        Assert.Equal(Seconds * 7 / 8, playedFrom, tolerance: Seconds / box.Width);
        await Expect(seek).ToHaveAttributeAsync("aria-valuenow", $"{playedFrom:F0}");
        await seek.PressAsync(" ");
        await Expect(player).Not.ToHaveJSPropertyAsync("currentTime", playedFrom);
        await seek.PressAsync(" ");

        await Expect(page.Locator(".wave path")).ToBeAttachedAsync(OnceDecoded);
        var heights = await page.Locator(".wave path").EvaluateAsync<double[]>(Heights);
        Assert.True(heights.Length > 100, $"{heights.Length} lines");
        Assert.All(heights.Index(), line =>
        {
            var second = (line.Index + 0.5) * Seconds / heights.Length % 240;
            if (second is > 50 and < 70)
                Assert.InRange(line.Item, 10, 50);
            else if (second is > 170 and < 190)
                Assert.InRange(line.Item, 0, 2);
        });
        AssertExtents(await page.Locator(".seek > .gap").EvaluateAllAsync<double[]>(Extents), count: 7, first: 1740, every: 1800, length: 60);
        AssertExtents(await page.Locator(".lane:nth-child(5) > span").EvaluateAllAsync<double[]>(Extents), count: 240, first: 20, every: 60, length: 10);
        await page.Locator("summary").Filter(new() { HasText = "Timeline" }).ClickAsync();
        AssertExtents(await page.Locator(".timeline .gap").EvaluateAllAsync<double[]>(Extents), count: 7, first: 1740, every: 1800, length: 60);
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    /// <param name="extents">The start and the width of each mark, as fractions of the whole.</param>
    /// <param name="count">The number of marks.</param>
    /// <param name="first">The start of the first mark, in seconds.</param>
    /// <param name="every">The distance between the starts of two marks, in seconds.</param>
    /// <param name="length">The length of each mark, in seconds.</param>
    private static void AssertExtents(double[] extents, int count, double first, double every, double length)
    {
        // Very short marks have a minimum width of a few pixels.
        const double minimumWidth = 0.006;
        Assert.Equal(count, extents.Length / 2);
        Assert.All(extents.Chunk(2).Index(), extent =>
        {
            Assert.Equal((first + (extent.Index * every)) / Seconds, extent.Item[0], 0.002);
            Assert.InRange(extent.Item[1], (length / Seconds) - 0.0005, Math.Max(length / Seconds, minimumWidth));
        });
    }
}
