using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Recorders in rehearsals, several at a time, without a container.</summary>
public sealed class RehearsedRecorders : IAsyncLifetime
{
    /// <summary>All recorders share one browser.</summary>
    private const int Concurrency = 8;

    private readonly RehearsalRuns<EndedRecorder> _runs;
    private WebApplication _server = null!;
    private InProcessRecorders _recorders = null!;

    public RehearsedRecorders() => _runs = new(Concurrency, RunAsync);

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddRehearsal();
        _server = builder.Build();
        _server.MapRehearsal();
        await _server.StartAsync();
        _recorders = await InProcessRecorders.StartAsync(UrlFor(string.Empty));
    }

    public async ValueTask DisposeAsync()
    {
        await _recorders.DisposeAsync();
        await _server.DisposeAsync();
        _runs.Dispose();
    }

    /// <param name="query">The rehearsal's parameters.</param>
    internal Task<EndedRecorder> InAsync(string query) => _runs.ResultAsync(query);

    private Task<EndedRecorder> RunAsync(string query)
    {
        var leave = NamedScenario.All.SingleOrDefault(one => query == $"scenario={one.Name}")?.Leave switch
        {
            null => new(),
            ("waitingRoomTimeout", var seconds) => new LeaveConditions { WaitingRoomTimeout = TimeSpan.FromSeconds(seconds) },
            ("nobodyJoinedTimeout", var seconds) => new LeaveConditions { NobodyJoinedTimeout = TimeSpan.FromSeconds(seconds) },
            ("everyoneLeftTimeout", var seconds) => new LeaveConditions { EveryoneLeftTimeout = TimeSpan.FromSeconds(seconds) },
            var (condition, _) => throw new NotSupportedException(condition),
        };
        return _recorders.RunAsync(UrlFor(query), leave);
    }

    private Uri UrlFor(string query) =>
        new($"http://localhost:{new Uri(_server.Urls.Single()).Port}/rehearsal/abc-defg-hij?{query.Replace(" ", "%20", StringComparison.Ordinal)}");
}
