using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder;

/// <summary>A visit with a browser, which it starts and closes. A session makes another visit when a browser crashes.</summary>
internal sealed partial class MeetingVisit(
    RecorderAssignment assignment,
    JoiningInput input,
    Func<Task<MeetingBrowser>> startBrowser,
    Joiner joiner,
    CallAttendance call,
    CaptureHook hook,
    Evidence evidence,
    LiveScreenshots screenshots,
    MeetingCompanions companions,
    TimeProvider time,
    ILoggerFactory loggers) : IMeetingVisit
{
    private readonly ILogger _logger = loggers.CreateLogger<MeetingVisit>();
    private MeetingBrowser? _browser;

    public MeetingPage? Page { get; private set; }

    public bool WasInCall { get; private set; }

    public DateTimeOffset? InCallAt => call.InCallAt;

    public async Task<LeaveDecision> AttendAsync(bool isAgain, DateTimeOffset deadline, Task writing)
    {
        var start = RecorderActivity.Start("recorder start");
        try
        {
            _browser = await startBrowser();
        }
        catch (Exception exception) when (exception is PlaywrightException or InvalidOperationException or TimeoutException)
        {
            start.Fail(EndReason.BrowserCrashed, exception.Message);
            LogBrowserNotStarted(exception);
            return new(EndReason.BrowserCrashed, $"The browser did not start: {exception.Message}");
        }
        finally
        {
            start?.Dispose();
        }

        Page = new MeetingPage(
            _browser.Page,
            hook,
            input.Selectors,
            new OtherRecorders(input.Selectors, assignment.BotName, isSignedIn: input.Account is not null, companions),
            evidence,
            time,
            loggers.CreateLogger<MeetingPage>());
        screenshots.Page = Page;
        var outcome = await joiner.JoinAsync(Page, isAgain, deadline);
        if (outcome.Refusal is { } refusal)
            return new(refusal, outcome.Detail) { IsUnreachable = outcome.IsUnreachable };
        WasInCall = true;
        return await call.AttendAsync(Page, deadline, writing);
    }

    public Task StopCaptureAsync() => Page is { Gone: null } page ? page.StopCaptureAsync() : Task.CompletedTask;

    public Task LeaveAsync() => Page is { Gone: null } page ? page.LeaveAsync() : Task.CompletedTask;

    public ValueTask CloseAsync() => _browser?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(Level = LogLevel.Error, Message = "The browser did not start")]
    private partial void LogBrowserNotStarted(Exception exception);
}
