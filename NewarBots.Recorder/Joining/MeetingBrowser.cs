using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Joining;

/// <summary>A headed Chromium on a display of its own, with one page that has the ear in it. It says openly what it is.</summary>
internal sealed class MeetingBrowser : IAsyncDisposable
{
    private readonly VirtualDisplay _display;
    private readonly IPlaywright _playwright;
    private readonly IBrowserContext _context;

    private MeetingBrowser(VirtualDisplay display, IPlaywright playwright, IBrowserContext context, IPage page)
    {
        (_display, _playwright, _context) = (display, playwright, context);
        Page = page;
    }

    public IPage Page { get; }

    public static async Task<MeetingBrowser> StartAsync(RecorderEnvironment environment, CaptureHook hook)
    {
        // Playwright's driver inherits this: it passes messages on and needs no large heap for it.
        Environment.SetEnvironmentVariable("NODE_OPTIONS", "--max-old-space-size=96 --max-semi-space-size=1");
        var startingDisplay = TimedAsync("display start", VirtualDisplay.StartAsync);
        var playwright = await TimedAsync("driver start", Playwright.CreateAsync);
        var display = await startingDisplay;
        IBrowserContext context;
        using (RecorderActivity.Start("browser launch"))
        {
            // One profile, one window: a second context would open a second one. An empty name is a new profile.
            context = await playwright.Chromium.LaunchPersistentContextAsync(string.Empty, new()
            {
                ExecutablePath = "/usr/bin/chromium",
                Headless = false,
                ChromiumSandbox = environment.ChromiumSandbox,
                HandleSIGINT = false,
                HandleSIGTERM = false,
                HandleSIGHUP = false,
                Args = [.. ChromiumArguments.For(environment)],
                Locale = "en-US",
                ViewportSize = ViewportSize.NoViewport,
                AcceptDownloads = false,
                // What the recorder was told is not the browser's business.
                Env = [new("DISPLAY", display.Name), new("HOME", Path.GetTempPath()), new("PATH", "/usr/bin:/bin")],
            });
        }

        var page = context.Pages[0];
        context.Page += (_, opened) => _ = opened.CloseAsync();
        await hook.InstallAsync(page);
        return new(display, playwright, context, page);
    }

    private static async Task<T> TimedAsync<T>(string step, Func<Task<T>> start)
    {
        using (RecorderActivity.Start(step))
            return await start();
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        _playwright.Dispose();
        await _display.DisposeAsync();
    }
}
