using Microsoft.Playwright;
using NewarBots.Contract;

namespace NewarBots.Tests.Fixtures;

/// <summary>The headless Chromium of the recorder's image, in a container on the host's network.</summary>
internal sealed class ChromiumContainer : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly string _name = $"newarbots-tests-chromium-{SessionId.New(TimeProvider.System)}";
    private IPlaywright? _playwright;

    public IBrowser Browser { get; private set; } = null!;

    /// <param name="arguments">Chromium's arguments.</param>
    public static async Task<ChromiumContainer> StartAsync(params IEnumerable<string> arguments)
    {
        var chromium = new ChromiumContainer();
        var port = ManagerProcess.FreePort();
        var image = Environment.GetEnvironmentVariable("Launching__Image") ?? "newarbots/recorder:dev";
        await DockerCli.RunAsync([
            "run", "--detach", "--rm", "--init", "--name", chromium._name, "--network", "host", "--shm-size", "256m",
            "--entrypoint", "chromium-headless-shell", image,
            // The container is the sandbox, and the pages are the product's own.
            "--no-sandbox", $"--remote-debugging-port={port}", .. arguments, "about:blank"]);
        chromium._playwright = await Playwright.CreateAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    chromium.Browser = await chromium._playwright.Chromium.ConnectOverCDPAsync($"http://127.0.0.1:{port}");
                    return true;
                }
                catch (PlaywrightException)
                {
                    return false;
                }
            },
            Timeout);
        return chromium;
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
            await Browser.CloseAsync();
        _playwright?.Dispose();
        await DockerCli.RunAsync("rm", "--force", _name);
    }
}
