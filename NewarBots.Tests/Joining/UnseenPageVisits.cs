using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Joining;

/// <summary>Serves the pages and sends recorders to them, several at a time.</summary>
public sealed class UnseenPageVisits : IAsyncLifetime
{
    /// <summary>All recorders share one browser.</summary>
    private const int Concurrency = 8;

    private const string HomePage = """
        <!doctype html><title>Video calls for everyone</title><header><a href="#signin">Sign in</a></header><main>
        <h1>Video calls and meetings for everyone</h1><p>Connect, collaborate and celebrate from anywhere</p>
        <button>New meeting</button><input type="text" placeholder="Enter a code or link"><button disabled>Join</button></main>
        """;

    private const string ProductPage = """
        <!doctype html><title>Online meetings for teams</title><nav><a href="#signin">Sign in</a><a href="#pricing">Pricing</a></nav><main>
        <h1>Meetings that just work</h1><p>Used by millions of teams</p><a href="#start">Start a meeting</a><a href="#sales">Contact sales</a></main>
        """;

    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _events = new();
    private readonly RehearsalRuns<UnseenPageVisit> _runs;
    private WebApplication _server = null!;
    private InProcessRecorders _recorders = null!;

    public UnseenPageVisits() => _runs = new(Concurrency, VisitAsync);

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(UnseenPage.Folder) });
        _server.MapGet("/meet/{name}", (string name) => TypedResults.Content(UnseenPage.All.Single(page => page.Name == name).Html, "text/html; charset=utf-8"));
        _server.MapPost("/events/meet/{name}", async (string name, HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            EventsOf(name).Enqueue(await reader.ReadToEndAsync());
        });
        _server.MapGet("/", () => TypedResults.Content(HomePage, "text/html; charset=utf-8"));
        foreach (var path in (string[])["/landing", "/products/meet"])
            _server.MapGet(path, () => TypedResults.Content(ProductPage, "text/html; charset=utf-8"));
        await _server.StartAsync();
        _recorders = await InProcessRecorders.StartAsync(UrlOf("any"));
    }

    public async ValueTask DisposeAsync()
    {
        await _recorders.DisposeAsync();
        await _server.DisposeAsync();
        _runs.Dispose();
    }

    /// <param name="name">The name of the page.</param>
    internal Task<UnseenPageVisit> ToAsync(string name) => _runs.ResultAsync(name);

    private async Task<UnseenPageVisit> VisitAsync(string name)
    {
        var page = UnseenPage.All.Single(page => page.Name == name);
        var recorder = await _recorders.RunAsync(UrlOf(name), page.Leave);
        return new(recorder, await page.BrokenPromisesAsync(recorder, [.. EventsOf(name)]));
    }

    private ConcurrentQueue<string> EventsOf(string name) => _events.GetOrAdd(name, _ => new());

    private Uri UrlOf(string name) => new($"http://localhost:{new Uri(_server.Urls.Single()).Port}/meet/{name}");
}

/// <param name="Recorder">The recorder, after its end.</param>
/// <param name="Broken">The promises that were not kept.</param>
internal sealed record UnseenPageVisit(EndedRecorder Recorder, IReadOnlyList<string> Broken);
