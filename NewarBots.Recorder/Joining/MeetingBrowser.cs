using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Joining;

/// <summary>A headed Chromium on a display of its own, with one page that has the ear in it. It says openly what it is.</summary>
internal sealed class MeetingBrowser : IAsyncDisposable
{
    private readonly VirtualDisplay _display;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private MeetingBrowser(VirtualDisplay display, IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_display, _playwright, _browser) = (display, playwright, browser);
        Page = page;
    }

    public IPage Page { get; }

    public static async Task<MeetingBrowser> StartAsync(RecorderEnvironment environment, CaptureHook hook)
    {
        var startingDisplay = VirtualDisplay.StartAsync();
        var startingDriver = Playwright.CreateAsync();
        var display = await startingDisplay;
        var playwright = await startingDriver;
        IBrowser browser;
        using (RecorderActivity.Start("browser launch"))
        {
            browser = await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = "/usr/bin/chromium",
                Headless = false,
                ChromiumSandbox = environment.ChromiumSandbox,
                HandleSIGINT = false,
                HandleSIGTERM = false,
                HandleSIGHUP = false,
                Args = [.. ChromiumArguments.For(environment)],
                // What the recorder was told is not the browser's business.
                Env = [new("DISPLAY", display.Name), new("HOME", Path.GetTempPath()), new("PATH", "/usr/bin:/bin")],
            });
        }

        var context = await browser.NewContextAsync(new()
        {
            Locale = "en-US",
            ViewportSize = ViewportSize.NoViewport,
            AcceptDownloads = false,
        });
        var page = await context.NewPageAsync();
        context.Page += (_, opened) => _ = opened.CloseAsync();
        await hook.InstallAsync(page);
        return new(display, playwright, browser, page);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await _display.DisposeAsync();
    }
}
