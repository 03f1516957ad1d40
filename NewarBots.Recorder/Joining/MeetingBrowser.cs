using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// A Chromium with one page, into which the capture hook is installed. It is either headed, on its own virtual display, or the headless
/// shell. It does not disguise itself.
/// </summary>
internal sealed class MeetingBrowser : IAsyncDisposable
{
    private readonly VirtualDisplay? _display;
    private readonly IPlaywright? _playwright;

    private MeetingBrowser(IPage page, IPlaywright? playwright, VirtualDisplay? display) => (Page, _playwright, _display) = (page, playwright, display);

    /// <summary>For the driver. The display and the browser have timeouts of their own.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Shorter than the time that the recorder gives the whole step after a crash.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(4);

    public IPage Page { get; }

    /// <summary>The binary itself. Debian's wrapper script adds nothing useful here and is slow.</summary>
    public static string Executable(BrowserKind browser) =>
        browser is BrowserKind.Headed ? "/usr/lib/chromium/chromium" : "/usr/lib/chromium/chromium-headless-shell";

    /// <param name="environment">Selects and configures the browser.</param>
    /// <param name="assignment">The meeting to open.</param>
    /// <param name="account">The account to sign in with; <see langword="null"/> for a guest.</param>
    /// <param name="hook">Captures the page's audio.</param>
    /// <exception cref="PlaywrightException">The browser did not start.</exception>
    /// <exception cref="InvalidOperationException">The display did not start.</exception>
    /// <exception cref="TimeoutException">The driver hangs.</exception>
    public static async Task<MeetingBrowser> StartAsync(
        RecorderEnvironment environment, RecorderAssignment assignment, StorageState? account, CaptureHook hook)
    {
        var isHeaded = environment.Browser is BrowserKind.Headed;
        var startingDisplay = isHeaded ? TimedAsync("display start", VirtualDisplay.StartAsync) : null;
        IPlaywright? playwright = null;
        try
        {
            playwright = await StartDriverAsync(Playwright.CreateAsync, TimeProvider.System);
            return await LaunchAsync(environment, assignment, account, hook, playwright, startingDisplay is null ? null : await startingDisplay);
        }
        catch
        {
            // Another attempt may follow in this container, so this one must not leave processes behind.
            playwright?.Dispose();
            if (startingDisplay is not null)
                await ((Task)startingDisplay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (startingDisplay is { IsCompletedSuccessfully: true, Result: var display })
                await display.DisposeAsync();
            throw;
        }
    }

    /// <param name="start">Starts Playwright's driver. It has no timeout of its own.</param>
    /// <param name="time">Measures the timeout.</param>
    /// <exception cref="TimeoutException">The driver hangs.</exception>
    internal static async Task<IPlaywright> StartDriverAsync(Func<Task<IPlaywright>> start, TimeProvider time)
    {
        var starting = TimedAsync("driver start", start);
        try
        {
            return await starting.WaitAsync(StartTimeout, time);
        }
        catch (TimeoutException exception)
        {
            // A driver that starts after all is ended then.
            _ = starting.ContinueWith(
                started => started.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw new TimeoutException($"Playwright's driver did not start within {StartTimeout.TotalSeconds:0} s.", exception);
        }
    }

    private static async Task<MeetingBrowser> LaunchAsync(
        RecorderEnvironment environment, RecorderAssignment assignment, StorageState? account, CaptureHook hook, IPlaywright playwright, VirtualDisplay? display)
    {
        IBrowserContext context;
        using (RecorderActivity.Start("browser launch"))
        {
            // One profile, one window: a second context would open another. An empty name creates a new profile.
            context = await playwright.Chromium.LaunchPersistentContextAsync(string.Empty, new()
            {
                ExecutablePath = Executable(environment.Browser),
                Headless = environment.Browser is not BrowserKind.Headed,
                ChromiumSandbox = environment.ChromiumSandbox,
                HandleSIGINT = false,
                HandleSIGTERM = false,
                HandleSIGHUP = false,
                Args = [.. ChromiumArguments.For(environment.Browser, assignment)],
                Locale = "en-US",
                ViewportSize = ViewportSize.NoViewport,
                AcceptDownloads = false,
                // No more of the recorder's environment than the browser needs.
                Env = [.. BrowserEnvironment(display)],
            });
        }

        return await PrepareAsync(context.Pages[0], account, hook, playwright, display);
    }

    /// <summary>Signs in, installs the capture hook and rejects popups. The page's context is closed with the result.</summary>
    /// <param name="page">The only page of its context; blank.</param>
    /// <param name="account">The account to sign in with; <see langword="null"/> for a guest.</param>
    /// <param name="hook">Captures the page's audio.</param>
    /// <param name="playwright">Disposed with the result.</param>
    /// <param name="display">Disposed with the result.</param>
    public static async Task<MeetingBrowser> PrepareAsync(
        IPage page, StorageState? account, CaptureHook hook, IPlaywright? playwright = null, VirtualDisplay? display = null)
    {
        page.Context.Page += (_, opened) => _ = opened.CloseAsync();
        if (account is not null)
        {
            using (RecorderActivity.Start("sign in"))
                await StorageStateLoader.LoadAsync(page, account);
        }

        await hook.InstallAsync(page);
        return new(page, playwright, display);
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
        try
        {
            await Page.Context.DisposeAsync().AsTask().WaitAsync(CloseTimeout);
        }
        finally
        {
            // Ends the driver, and with it a browser that hangs. It may still be in the call.
            _playwright?.Dispose();
            if (_display is not null)
                await _display.DisposeAsync();
        }
    }
}
