using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;
using NewarBots.Recorder;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Recording;

namespace NewarBots.Tests.Lives;

/// <summary>
/// Recorders in rehearsals without a container: they run in this process and share one browser, in which each has its own context.
/// </summary>
public sealed class RehearsedRecorders : IAsyncLifetime
{
    private const int Concurrency = 6;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-rehearsed-");
    private readonly RehearsalRuns<RehearsedRecorder> _runs;
    private WebApplication _server = null!;
    private ChromiumContainer _chromium = null!;

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
        _chromium = await ChromiumContainer.StartAsync(ChromiumArguments.For(EnvironmentFor(string.Empty, new())));
    }

    public async ValueTask DisposeAsync()
    {
        await _chromium.DisposeAsync();
        await _server.DisposeAsync();
        _runs.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <param name="query">The rehearsal's parameters.</param>
    internal Task<RehearsedRecorder> InAsync(string query) => _runs.ResultAsync(query);

    private async Task<RehearsedRecorder> RunAsync(string query)
    {
        var leave = NamedScenario.All.SingleOrDefault(one => query == $"scenario={one.Name}")?.Leave switch
        {
            null => new(),
            ("waitingRoomTimeout", var seconds) => new LeaveConditions { WaitingRoomTimeout = TimeSpan.FromSeconds(seconds) },
            ("nobodyJoinedTimeout", var seconds) => new LeaveConditions { NobodyJoinedTimeout = TimeSpan.FromSeconds(seconds) },
            ("everyoneLeftTimeout", var seconds) => new LeaveConditions { EveryoneLeftTimeout = TimeSpan.FromSeconds(seconds) },
            var (condition, _) => throw new NotSupportedException(condition),
        };
        var environment = EnvironmentFor(query, leave);
        var folder = _folder.CreateSubdirectory($"{environment.SessionId}").FullName;
        var log = new ConcurrentQueue<string>();
        await using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(new LinesLogger(log)))
            .AddRecorder(environment, new JoiningInput(SelectorPack.Embedded, Account: null), new Watchdog(TimeProvider.System, () => { }), folder)
            .AddSingleton<Func<Task<MeetingBrowser>>>(provider => () => OpenAsync(provider.GetRequiredService<CaptureHook>()))
            .BuildServiceProvider();
        var exitCode = await services.GetRequiredService<RecorderRun>().RunAsync();
        return new(exitCode, folder, string.Join('\n', log));
    }

    private RecorderEnvironment EnvironmentFor(string query, LeaveConditions leave) => new()
    {
        SessionId = SessionId.New(TimeProvider.System),
        UserId = UserId.Default,
        MeetingUrl = new($"http://localhost:{new Uri(_server.Urls.Single()).Port}/rehearsal/abc-defg-hij?{query.Replace(" ", "%20", StringComparison.Ordinal)}"),
        BotName = "Notes",
        Browser = BrowserKind.HeadlessShell,
        Leave = leave,
    };

    private async Task<MeetingBrowser> OpenAsync(CaptureHook hook)
    {
        var context = await _chromium.Browser.NewContextAsync(new()
        {
            Locale = "en-US",
            AcceptDownloads = false,
            ViewportSize = new() { Width = VirtualDisplay.Width, Height = VirtualDisplay.Height },
        });
        return await MeetingBrowser.PrepareAsync(await context.NewPageAsync(), account: null, hook);
    }

    private sealed class LinesLogger(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <summary>A recorder that was in a rehearsal.</summary>
internal sealed class RehearsedRecorder(RecorderExitCode exitCode, string folder, string log) : RecorderFolder(folder)
{
    public RecorderExitCode ExitCode => exitCode;

    public EndReason? Reason => Statuses()[^1].Reason;

    public override string ToString() => $"{exitCode}, {string.Join('\n', Statuses())}\n--- log:\n{log}";
}
