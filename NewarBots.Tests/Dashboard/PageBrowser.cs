using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Dashboard;

/// <summary>The Chromium of the recorder's image, on this machine's network, to look at the page with.</summary>
public sealed class PageBrowser : IAsyncLifetime
{
    /// <summary>Where its user is: neither where the manager is, nor whole hours from there.</summary>
    public static TimeSpan Offset { get; } = TimeSpan.FromHours(5.5);

    private ChromiumContainer _chromium = null!;

    public async ValueTask InitializeAsync() => _chromium = await ChromiumContainer.StartAsync();

    public ValueTask DisposeAsync() => _chromium.DisposeAsync();

    /// <summary>The page in a window of its own.</summary>
    /// <param name="manager">Whose.</param>
    /// <param name="path">Behind the manager's address.</param>
    /// <param name="width">Of the window, in CSS pixels.</param>
    /// <param name="withoutPolicy">Whatever the page says of what may run in it.</param>
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
        await page.Page.GotoAsync(path);
        return page;
    }
}

/// <summary>A window, and what the browser complained of in it.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private static readonly (int Width, ColorScheme Scheme)[] Views = [(360, ColorScheme.Dark), (1280, ColorScheme.Light)];

    private static readonly Lazy<string> Axe = new(new BundledAxeScriptProvider().GetScript);

    private const string RunAxe =
        """
        async () => {
          const { passes, violations } = await axe.run();
          if (!passes.length) throw new Error('axe has looked at nothing');
          return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
        }
        """;

    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public OpenPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            // This machine's network, which the browser is on, changes whenever a container comes or goes; the page asks again then.
            if (message.Type is "error" or "warning" && !message.Text.Contains("net::ERR_NETWORK_CHANGED", StringComparison.Ordinal))
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>
    /// What axe finds wrong with what is shown, and what is wider than its window: by night on a narrow one, and by day on a wide one,
    /// as which it stays.
    /// </summary>
    public async Task<IReadOnlyList<string>> FlawsAsync()
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
