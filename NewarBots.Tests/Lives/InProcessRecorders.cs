using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Recording;

namespace NewarBots.Tests.Lives;

/// <summary>Recorders without a container: they run in this process and share one browser, in which each has its own context.</summary>
internal sealed class InProcessRecorders : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-in-process-");
    private readonly ChromiumContainer _chromium;

    private InProcessRecorders(ChromiumContainer chromium) => _chromium = chromium;

    /// <param name="meetingUrl">A meeting on the host that the recorders will visit.</param>
    public static async Task<InProcessRecorders> StartAsync(Uri meetingUrl) =>
        new(await ChromiumContainer.StartAsync(ChromiumArguments.For(BrowserKind.HeadlessShell, AssignmentFor(meetingUrl, new()))));

    public async ValueTask DisposeAsync()
    {
        await _chromium.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Runs a recorder to its end.</summary>
    public async Task<EndedRecorder> RunAsync(Uri meetingUrl, LeaveConditions leave)
    {
        var assignment = AssignmentFor(meetingUrl, leave);
        var folder = _folder.CreateSubdirectory($"{assignment.SessionId}").FullName;
        var environment = new RecorderEnvironment { SessionFolder = folder, Browser = BrowserKind.HeadlessShell };
        var log = new ConcurrentQueue<string>();
        await using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(new LinesLogger(log)))
            .AddRecorder(environment, assignment, new JoiningInput(SelectorPack.Embedded, Account: null), new Watchdog(TimeProvider.System, () => { }))
            .AddSingleton<Func<Task<MeetingBrowser>>>(provider => () => OpenAsync(provider.GetRequiredService<CaptureHook>()))
            .BuildServiceProvider();
        var exitCode = await services.GetRequiredService<RecorderRun>().RunAsync();
        return new(exitCode, folder, string.Join('\n', log));
    }

    private static RecorderAssignment AssignmentFor(Uri meetingUrl, LeaveConditions leave) => new()
    {
        SessionId = SessionId.New(TimeProvider.System),
        MeetingUrl = meetingUrl,
        BotName = "Notes",
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

/// <summary>A recorder that has run to its end.</summary>
internal sealed class EndedRecorder(RecorderExitCode exitCode, string folder, string log) : RecorderFolder(folder)
{
    public RecorderExitCode ExitCode => exitCode;

    public string Log => log;

    public EndReason? Reason => Statuses()[^1].Reason;

    public override string ToString() => $"{exitCode}, {string.Join('\n', Statuses())}\n--- log:\n{log}";
}
