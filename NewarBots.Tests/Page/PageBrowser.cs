using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Page;

/// <summary>The Chromium of the recorder's image, on this machine's network, to look at the page with.</summary>
public sealed class PageBrowser : IAsyncLifetime
{
    /// <summary>Where its user is: neither where the manager is, nor whole hours from there.</summary>
    public static TimeSpan Offset { get; } = TimeSpan.FromHours(5.5);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _container = $"newarbots-tests-page-{SessionId.New(TimeProvider.System)}";
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        var port = ManagerProcess.FreePort();
        var image = Environment.GetEnvironmentVariable("Launching__Image") ?? "newarbots/recorder:dev";
        await DockerCli.RunAsync(
            "run", "--detach", "--rm", "--init", "--name", _container, "--network", "host", "--shm-size", "256m", "--entrypoint", "chromium-headless-shell", image,
            // The container is the sandbox; the pages are the product's own.
            "--no-sandbox", $"--remote-debugging-port={port}", "about:blank");
        _playwright = await Playwright.CreateAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    _browser = await _playwright.Chromium.ConnectOverCDPAsync($"http://127.0.0.1:{port}");
                    return true;
                }
                catch (PlaywrightException)
                {
                    return false;
                }
            },
            Patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.CloseAsync();
        _playwright?.Dispose();
        await DockerCli.RunAsync("rm", "--force", _container);
    }

    /// <summary>The page in a window of its own.</summary>
    /// <param name="manager">Whose.</param>
    /// <param name="path">Behind the manager's address.</param>
    /// <param name="width">Of the window, in CSS pixels.</param>
    /// <param name="scheme">What the user prefers.</param>
    internal async Task<OpenPage> OpenAsync(ManagerProcess manager, string path = "/", int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser.NewContextAsync(new()
        {
            BaseURL = $"http://localhost:{manager.Port}",
            ViewportSize = new() { Width = width, Height = 800 },
            ColorScheme = scheme,
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
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public OpenPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Complaints => _complaints;

    public Task<int> OverflowAsync() =>
        Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");

    /// <summary>What can be operated and has no name for who cannot see it.</summary>
    public Task<string[]> NamelessAsync() => Page.EvaluateAsync<string[]>(
        """
        [...document.querySelectorAll('a, button, input, select, summary, audio, [role=slider], [role=log], [role=img], dialog, img')]
          .filter(element => element.checkVisibility())
          .filter(element => element.tagName !== 'IMG' || !element.hasAttribute('alt'))
          .filter(element => ![
            element.getAttribute('aria-label'),
            ...(element.getAttribute('aria-labelledby') ?? '').split(' ').map(id => document.getElementById(id)?.textContent),
            ...[...(element.labels ?? [])].map(label => label.textContent),
            element.tagName === 'DIALOG' ? '' : element.textContent,
          ].some(name => name?.trim()))
          .map(element => element.outerHTML)
        """);

    public async ValueTask DisposeAsync() => await _context.CloseAsync();
}
