using System.Globalization;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>
/// The player of a minute with gaps from 20 to 24.5 s and from 50 to 52 s, which are silent. The turns of its speakers begin at 0, 9, 30 and 40 s; the last two
/// are of one speaker.
/// </summary>
public sealed class PlayerTests(QueueingManager queueing, DashboardBrowser browser) : IClassFixture<QueueingManager>, IClassFixture<DashboardBrowser>
{
    [Fact]
    public async Task Keys_control_the_player_from_anywhere_except_fields_and_controls_that_use_them()
    {
        await using var open = await OpenAsync("Keys");
        var page = open.Page;
        var audio = page.Locator("audio");
        await page.Locator("main").FocusAsync();

        await page.Keyboard.PressAsync("l");
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal(15, await PositionAsync(page));
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("ArrowLeft");
        Assert.Equal(0, await PositionAsync(page));
        await page.Keyboard.PressAsync("k");
        await Expect(audio).ToHaveJSPropertyAsync("paused", false);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync(" ");
        await Expect(audio).ToHaveJSPropertyAsync("paused", true);

        await page.Locator("summary").Filter(new() { HasText = "Log" }).ClickAsync();
        await page.GetByLabel("Filter the log").PressSequentiallyAsync("l k");
        await page.GetByLabel("Filter the log").PressAsync("ArrowLeft");
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy id" }).PressAsync(" ");
        await Expect(page.GetByRole(AriaRole.Dialog).Or(page.Locator(".toast"))).ToBeVisibleAsync();
        await Expect(audio).ToHaveJSPropertyAsync("paused", true);
        Assert.InRange(await PositionAsync(page), 0, 5);
    }

    [Fact]
    public async Task Player_jumps_between_speakers_and_gaps_and_remembers_the_speed()
    {
        await using var open = await OpenAsync("Jumps");
        var page = open.Page;

        foreach (var (button, second) in ((string, double)[])[
            ("Next speaker", 9), ("Next speaker", 30), ("Next speaker", 30), ("Previous speaker", 9),
            ("Next gap", 20), ("Next gap", 50), ("Next gap", 50), ("Previous gap", 20)])
        {
            Assert.Equal(second, await AfterAsync(button));
        }

        await page.GetByLabel("Speed").SelectOptionAsync("1.5×");
        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("playbackRate", 1.5);
        await page.ReloadAsync();
        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("playbackRate", 1.5);
        Assert.Empty(open.ConsoleErrors);

        async Task<double> AfterAsync(string button)
        {
            await page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
            return await PositionAsync(page);
        }
    }

    [Fact]
    public async Task Silence_is_skipped()
    {
        await using var open = await OpenAsync("Silence");
        var page = open.Page;
        var skip = page.GetByRole(AriaRole.Button, new() { Name = "Skip silence" });
        await Expect(skip).ToBeEnabledAsync(new() { Timeout = 30_000 });
        await skip.ClickAsync();
        await Expect(skip).ToHaveAttributeAsync("aria-pressed", "true");
        Assert.Empty(await open.FindFlawsAsync());
        await page.EvaluateAsync(
            """
            () => {
              const audio = document.querySelector('audio');
              audio.currentTime = 21;
              audio.addEventListener('seeked', () => { globalThis.soughtTo = audio.currentTime; });
            }
            """);

        await page.GetByRole(AriaRole.Button, new() { Name = "Play", Exact = true }).ClickAsync();

        await Eventually.TrueAsync(async () => await page.EvaluateAsync<double>("globalThis.soughtTo ?? 0") is > 23.5 and < 24.5);
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Link_leads_to_a_moment_and_a_changed_moment_seeks_without_opening_the_page_again()
    {
        await using var open = await OpenAsync("Moments", "#t=42");
        var page = open.Page;
        await Eventually.TrueAsync(async () => await PositionAsync(page) is 42);
        await page.EvaluateAsync("navigator.clipboard.writeText = async text => { globalThis.copied = text; }");

        await page.Keyboard.PressAsync("j");
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy link to this moment" }).ClickAsync();
        await Expect(page.GetByText("The link to 0:32 is copied")).ToBeVisibleAsync();
        Assert.EndsWith("#t=32", await page.EvaluateAsync<string>("globalThis.copied"), StringComparison.Ordinal);

        await page.EvaluateAsync("location.hash = location.hash.replace('t=42', 't=7.5')");
        await Eventually.TrueAsync(async () => await PositionAsync(page) is 7.5);
        Assert.NotNull(await page.EvaluateAsync<string?>("globalThis.copied"));
    }

    [Fact]
    public async Task Stripes_are_exactly_as_wide_as_their_gaps_at_every_zoom_and_pins_lead_to_short_ones()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Zoom", new Gap(10, 10.02, GapCause.CaptureStalled), new Gap(40, 46, GapCause.NotHeard));
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(page.Locator(".wave path")).ToBeAttachedAsync();
        await Expect(page.GetByText("2 gaps: 6.0 s or 10.0 % missing.")).ToBeVisibleAsync();
        var zoomIn = page.GetByRole(AriaRole.Button, new() { Name = "Zoom in" });

        await AssertWidthsAsync();
        await zoomIn.ClickAsync();
        await AssertWidthsAsync();
        await zoomIn.ClickAsync();
        await Expect(zoomIn).ToBeDisabledAsync();
        await AssertWidthsAsync();
        Assert.Equal(3, await page.EvaluateAsync<double>("document.querySelector('.seek').clientWidth / document.querySelector('.scroller').clientWidth"), 0.01);
        Assert.Empty(await open.FindFlawsAsync());

        await page.Locator(".pin").First.ScrollIntoViewIfNeededAsync();
        Assert.Equal(10, (await page.Locator(".pin").First.BoundingBoxAsync())!.Width);
        await page.Locator(".pin").First.ClickAsync();
        Assert.Equal(10, await PositionAsync(page));
        Assert.Empty(open.ConsoleErrors);

        async Task AssertWidthsAsync()
        {
            var widths = await page.Locator(".seek > .gap").EvaluateAllAsync<double[]>(
                "marks => marks.map(mark => mark.getBoundingClientRect().width / mark.parentElement.getBoundingClientRect().width * 60)");
            Assert.Equal(0.02, widths[0], 0.02);
            Assert.Equal(6, widths[1], 0.05);
        }
    }

    [Fact]
    public async Task Dragging_shows_time_and_speaker_and_seeks_on_release()
    {
        await using var open = await OpenAsync("Drag");
        var page = open.Page;
        var box = (await page.GetByRole(AriaRole.Slider, new() { Name = "Position in the recording" }).BoundingBoxAsync())!;
        float At(double second) => (float)(box.X + (box.Width * second / 60));

        await page.Mouse.MoveAsync(At(2.5), box.Y + 40);
        await Expect(page.Locator(".preview")).ToHaveTextAsync(Preview(2, "Drag"));
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(At(31.5), box.Y + 40);
        await Expect(page.Locator(".preview")).ToHaveTextAsync(Preview(31, "Drag"));
        Assert.Equal(0, await PositionAsync(page));
        await page.Mouse.UpAsync();
        Assert.Equal(31.5, await PositionAsync(page), 0.2);
        await page.Mouse.MoveAsync(At(31.5), box.Y - 80);
        await Expect(page.Locator(".preview")).ToBeHiddenAsync();

        static string Preview(int second, string speaker) => string.Create(CultureInfo.InvariantCulture, $"0:{second:00} · {speaker}");
    }

    [Fact]
    public async Task Each_track_can_be_downloaded_with_the_names_of_bot_and_track()
    {
        await using var open = await OpenAsync("Sales call ACME");
        var page = open.Page;
        await page.Locator("summary").Filter(new() { HasText = "Separate tracks (1)" }).ClickAsync();
        Assert.Empty(await open.FindFlawsAsync());

        var track = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Download Sales call ACME as ogg" }).ClickAsync());
        Assert.Matches(@"^\d{4}-\d\d-\d\d Sales call ACME, track 1\.ogg$", track.SuggestedFilename);
        var whole = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Download as mp3" }).ClickAsync());
        Assert.Matches(@"^\d{4}-\d\d-\d\d Sales call ACME\.mp3$", whole.SuggestedFilename);
    }

    /// <summary>The Chromium of the tests has no locale for such names, so the header is read.</summary>
    [Fact]
    public async Task Download_with_a_name_that_is_not_ASCII_has_it_encoded()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Réunion 会議");
        using var response = await queueing.Manager.Api.GetAsync(new Uri($"/bots/{id}/recording", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Matches(@"^\d{4}-\d\d-\d\d Réunion 会議\.ogg$", response.Content.Headers.ContentDisposition?.FileNameStar);
    }

    private async Task<OpenPage> OpenAsync(string name, string moment = "")
    {
        var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{await PlacedBots.RecordedAsync(queueing, name)}{moment}");
        await Expect(open.Page.Locator("audio")).ToHaveJSPropertyAsync("readyState", 4);
        return open;
    }

    private static Task<double> PositionAsync(IPage page) => page.EvaluateAsync<double>("document.querySelector('audio').currentTime");
}
