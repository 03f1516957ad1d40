using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// A Chromium, headed on a display of its own or the headless shell, with one page that has the ear in it. It says openly what it
/// is.
/// </summary>
internal sealed class MeetingBrowser : IAsyncDisposable
{
    private readonly VirtualDisplay? _display;
    private readonly IPlaywright _playwright;
    private readonly IBrowserContext _context;

    private MeetingBrowser(VirtualDisplay? display, IPlaywright playwright, IBrowserContext context, IPage page)
    {
        (_display, _playwright, _context) = (display, playwright, context);
        Page = page;
    }

    /// <summary>So long may the display or the driver take; the browser itself has Playwright's 30 s.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    public IPage Page { get; }

    /// <summary>
    /// The program itself and not the script that Debian starts it by, which adds nothing that is of use here and takes its time.
    /// </summary>
    public static string Executable(BrowserKind browser) =>
        browser is BrowserKind.Headed ? "/usr/lib/chromium/chromium" : "/usr/lib/chromium/chromium-headless-shell";

    /// <param name="environment">Which browser, and what it needs to know.</param>
    /// <param name="account">Whom it is signed in as; <see langword="null"/> for nobody.</param>
    /// <param name="hook">The ear.</param>
    /// <exception cref="PlaywrightException">The browser did not start.</exception>
    /// <exception cref="InvalidOperationException">The display did not start.</exception>
    /// <exception cref="TimeoutException">The display or the driver hangs.</exception>
    public static async Task<MeetingBrowser> StartAsync(RecorderEnvironment environment, StorageState? account, CaptureHook hook)
    {
        var isHeaded = environment.Browser is BrowserKind.Headed;
        var startingDisplay = isHeaded ? TimedAsync("display start", VirtualDisplay.StartAsync).WaitAsync(StartPatience) : null;
        IPlaywright? playwright = null;
        try
        {
            playwright = await TimedAsync("driver start", Playwright.CreateAsync).WaitAsync(StartPatience);
            return await LaunchAsync(environment, account, hook, playwright, startingDisplay is null ? null : await startingDisplay);
        }
        catch
        {
            // Another browser may be tried in this container: nothing of this one is to stay in its memory.
            playwright?.Dispose();
            if (startingDisplay is not null)
                await ((Task)startingDisplay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (startingDisplay is { IsCompletedSuccessfully: true, Result: var display })
                await display.DisposeAsync();
            throw;
        }
    }

    private static async Task<MeetingBrowser> LaunchAsync(
        RecorderEnvironment environment, StorageState? account, CaptureHook hook, IPlaywright playwright, VirtualDisplay? display)
    {
        IBrowserContext context;
        using (RecorderActivity.Start("browser launch"))
        {
            // One profile, one window: a second context would open a second one. An empty name is a new profile.
            context = await playwright.Chromium.LaunchPersistentContextAsync(string.Empty, new()
            {
                ExecutablePath = Executable(environment.Browser),
                Headless = environment.Browser is not BrowserKind.Headed,
                ChromiumSandbox = environment.ChromiumSandbox,
                HandleSIGINT = false,
                HandleSIGTERM = false,
                HandleSIGHUP = false,
                Args = [.. ChromiumArguments.For(environment)],
                Locale = "en-US",
                ViewportSize = ViewportSize.NoViewport,
                AcceptDownloads = false,
                // What the recorder was told is not the browser's business.
                Env = [.. BrowserEnvironment(display)],
            });
        }

        var page = context.Pages[0];
        context.Page += (_, opened) => _ = opened.CloseAsync();
        if (account is not null)
        {
            using (RecorderActivity.Start("sign in"))
                await SignIn.ApplyAsync(page, account);
        }

        await hook.InstallAsync(page);
        return new(display, playwright, context, page);
    }

    private static IEnumerable<KeyValuePair<string, string>> BrowserEnvironment(VirtualDisplay? display)
    {
        yield return new("HOME", Path.GetTempPath());
        yield return new("PATH", "/usr/bin:/bin");
        if (display is not null)
            yield return new("DISPLAY", display.Name);
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
        if (_display is not null)
            await _display.DisposeAsync();
    }
}
