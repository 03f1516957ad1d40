using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Dashboard;

/// <summary>A Chromium from the recorder's image, on the host's network, that opens the dashboard.</summary>
public sealed class DashboardBrowser : IAsyncLifetime
{
    /// <summary>The browser's time zone: not the manager's, and not a whole number of hours from it.</summary>
    public static TimeSpan UtcOffset { get; } = TimeSpan.FromHours(5.5);

    private ChromiumContainer _chromium = null!;

    static DashboardBrowser() => Assertions.SetDefaultExpectTimeout(60_000);

    public async ValueTask InitializeAsync() => _chromium = await ChromiumContainer.StartAsync();

    public ValueTask DisposeAsync() => _chromium.DisposeAsync();

    /// <summary>Opens the dashboard in a new window.</summary>
    /// <param name="manager">The manager that serves it.</param>
    /// <param name="path">Relative to the manager's URL.</param>
    /// <param name="width">The width of the window in CSS pixels.</param>
    /// <param name="withoutPolicy">Ignores the page's content security policy.</param>
    internal async Task<OpenPage> OpenAsync(ManagerProcess manager, string path = "/", int width = 1280, bool withoutPolicy = false)
    {
        var context = await _chromium.Browser.NewContextAsync(new()
        {
            BaseURL = $"http://localhost:{manager.Port}",
            ViewportSize = new() { Width = width, Height = 800 },
            BypassCSP = withoutPolicy,
            Locale = "en-GB",
            TimezoneId = "Asia/Kolkata",
            AcceptDownloads = true,
        });
        var page = new OpenPage(context, await context.NewPageAsync());
        await GoToAsync(page.Page, path);
        return page;
    }

    /// <summary>Containers of other tests change the host's network. Chromium then aborts a navigation that is under way.</summary>
    private static async Task GoToAsync(IPage page, string path)
    {
        const int Attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await page.GotoAsync(path);
                return;
            }
            catch (PlaywrightException exception) when (attempt < Attempts && exception.Message.Contains("ERR_NETWORK_CHANGED", StringComparison.Ordinal))
            {
            }
        }
    }
}

/// <summary>A browser window, and the errors and warnings on its console.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private static readonly (int Width, ColorScheme Scheme)[] Views = [(360, ColorScheme.Dark), (1280, ColorScheme.Light)];

    private static readonly Lazy<string> Axe = new(new BundledAxeScriptProvider().GetScript);

    private const string RunAxe =
        """
        async () => {
          const { passes, violations } = await axe.run();
          if (!passes.length) throw new Error('axe checked nothing');
          return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
        }
        """;

    private readonly IBrowserContext _context;
    private readonly List<string> _consoleErrors = [];

    public OpenPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            // The host's network changes whenever a container starts or stops; the dashboard then retries.
            if (message.Type is "error" or "warning" && !message.Text.Contains("net::ERR_NETWORK_CHANGED", StringComparison.Ordinal))
                _consoleErrors.Add(message.Text);
        };
        page.PageError += (_, error) => _consoleErrors.Add(error);
    }

    public IPage Page { get; }

    public IReadOnlyList<string> ConsoleErrors => _consoleErrors;

    /// <summary>
    /// The accessibility violations that axe finds, and horizontal overflow: in a narrow dark window and in a wide light one. The window
    /// stays wide and light.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindFlawsAsync()
    {
        List<string> flaws = [];
        await Page.EvaluateAsync(Axe.Value);
        foreach (var (width, scheme) in Views)
        {
            await Page.SetViewportSizeAsync(width, 800);
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            var found = await Page.EvaluateAsync<string[]>(RunAxe);
            flaws.AddRange(found.Select(flaw => $"At {width} px, {scheme}: {flaw}"));
            if (await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth") is > 0 and var overflow)
                flaws.Add($"{overflow} px wider than {width} px");
        }

        return flaws;
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();
}
