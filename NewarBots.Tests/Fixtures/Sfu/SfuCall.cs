using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Fixtures.Sfu;

/// <summary>
/// A call through a real media server: participants publish time codes from another browser, and the recorder's page receives them over a
/// <see cref="UdpForwarder"/>. Not modelled: TURN, TCP, and what a platform does about a bad network beyond an ICE restart.
/// </summary>
internal sealed class SfuCall : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly JanusServer _janus;
    private readonly ChromiumContainer _browser;
    private readonly WebApplication _pages;
    private readonly Dictionary<string, IPage> _publishers = [];
    private readonly double _epoch = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private SfuCall(JanusServer janus, ChromiumContainer browser, WebApplication pages, UdpForwarder network) =>
        (_janus, _browser, _pages, Network) = (janus, browser, pages, network);

    public UdpForwarder Network { get; }

    /// <summary>Starts a call without participants. Skips the test if the media server cannot be installed.</summary>
    public static async Task<SfuCall> StartAsync()
    {
        var (janus, missing) = await JanusServer.StartAsync();
        Assert.SkipWhen(janus is null, missing ?? "");
        var bridge = IPAddress.Parse(await DockerCli.BridgeAddressAsync());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(bridge, port: 0));
        var pages = builder.Build();
        var call = new SfuCall(
            janus,
            await ChromiumContainer.StartAsync("--autoplay-policy=no-user-gesture-required"),
            pages,
            new UdpForwarder(bridge));
        call.Map(pages);
        pages.MapGet("/", () => Results.Content($"<!doctype html><script>{Script("janus")}{Script("publisher")}</script>", "text/html"));
        await pages.StartAsync();
        return call;
    }

    /// <summary>The recorder's page.</summary>
    /// <param name="recovers">It restarts ICE when its connection has failed.</param>
    public static string Html(bool recovers = false) => $$"""
        <!doctype html><title>Call</title><button aria-label="Leave call">Leave</button>
        <script>
        {{Script("janus")}}
        {{Script("subscriber")}}
        call({ janusUrl: location.origin + '/janus', forwarder: location.origin + '/forward', recovers: {{(recovers ? "true" : "false")}} });
        </script>
        """;

    /// <summary>Adds what the recorder's page needs from its origin: the server's API, and the forwarder's ports.</summary>
    public void Map(WebApplication page)
    {
        var client = new HttpClient();
        page.Map("/janus/{**path}", async (HttpRequest request, string? path) =>
        {
            using var forwarded = new HttpRequestMessage(new(request.Method), $"{_janus.Api}{(path is null ? "" : $"/{path}")}{request.QueryString}");
            if (HttpMethods.IsPost(request.Method))
                forwarded.Content = new StreamContent(request.Body);
            using var answer = await client.SendAsync(forwarded, request.HttpContext.RequestAborted);
            return Results.Content(await answer.Content.ReadAsStringAsync(), "application/json");
        });
        page.MapGet("/forward", (string address, int port) =>
        {
            var forwarder = Network.PortOf(new(IPAddress.Parse(address), port));
            return Results.Json(new { address = $"{forwarder.Address}", port = forwarder.Port });
        });
    }

    /// <summary>A browser gives up a request if a container of another test joins or leaves a network of this machine.</summary>
    private static async Task OpenAsync(IPage page, string url)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await page.GotoAsync(url);
                return;
            }
            catch (PlaywrightException exception) when (attempt < 5 && exception.Message.Contains("ERR_NETWORK_CHANGED", StringComparison.Ordinal))
            {
                // The next attempt uses the network as it is now.
            }
        }
    }

    /// <summary>A participant joins and publishes.</summary>
    /// <param name="name">Its name in the call.</param>
    /// <param name="voice">The index of its voice in <see cref="TimeCode.Voices"/>.</param>
    /// <param name="speaks">When it speaks, in seconds of each period; always if <see langword="null"/>.</param>
    /// <param name="dtx">It sends next to nothing while it is silent.</param>
    public async Task JoinAsync(string name, int voice, (int Every, int From, int To)? speaks = null, bool dtx = false)
    {
        var page = _publishers[name] = await _browser.Browser.Contexts[0].NewPageAsync();
        var url = _pages.Urls.Single();
        await OpenAsync(page, url);
        var code = TimeCode.Voices[voice];
        await page.EvaluateAsync("settings => publish(JSON.parse(settings))", JsonSerializer.Serialize(new
        {
            janusUrl = $"{url}/janus",
            name,
            voice = new { @base = code.Base, step = code.Step, seconds = code.Seconds },
            epoch = _epoch,
            speaks = speaks is var (every, from, to) ? new { every, from, to } : null,
            dtx,
        }));
        await Eventually.TrueAsync(async () => await page.EvaluateAsync<string>("state()") == "connected", Timeout);
    }

    public async Task LeaveAsync(string name)
    {
        if (!_publishers.Remove(name, out var page))
            return;
        await page.EvaluateAsync("leave()");
        await page.CloseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        await _pages.DisposeAsync();
        await _janus.DisposeAsync();
        await Network.DisposeAsync();
    }

    private static string Script(string name)
    {
        using var stream = typeof(SfuCall).Assembly.GetManifestResourceStream($"NewarBots.Tests.Fixtures.Sfu.{name}.js")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
