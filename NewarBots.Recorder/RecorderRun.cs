using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder;

/// <summary>The whole run of a recorder, from the start of the browser to the last word about why it left.</summary>
internal sealed partial class RecorderRun(
    RecorderEnvironment environment,
    Joiner joiner,
    CallAttendance call,
    StatusReporter reporter,
    SessionRecording recording,
    CaptureHook hook,
    StopSignal stop,
    Watchdog watchdog,
    TimeProvider time,
    ILoggerFactory loggers)
{
    /// <summary>From the decision to leave to the end of the process.</summary>
    private static readonly TimeSpan LongestLeaving = TimeSpan.FromSeconds(9.5);

    /// <summary>A bot outlives its maximum length by no more than this, whatever hangs.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly ILogger _logger = loggers.CreateLogger<RecorderRun>();
    private MeetingBrowser? _browser;
    private MeetingPage? _page;

    /// <returns>How the process is to end; the last word is in the journal and in the outbox.</returns>
    public async Task<RecorderExitCode> RunAsync()
    {
        watchdog.Arm(environment.Leave.MaxDuration + Grace);
        reporter.Report(BotStatus.Joining);

        var writing = recording.WriteAsync(hook.Messages);
        var attending = AttendAsync(writing);
        // Whoever asks for a stop does not wait for what hangs.
        await Task.WhenAny(attending, stop.Requested);
        var decision = stop.IsRequested ? new LeaveDecision(EndReason.StopRequested) : await DecisionOfAsync(attending);

        watchdog.Arm(LongestLeaving);
        if (decision is not null)
        {
            var progress = recording.Progress;
            reporter.Report(BotStatus.Leaving, decision.Reason, progress.Chunks > 0 ? progress : null, detail: decision.Detail);
        }

        using (RecorderActivity.Start("leave")?.SetTag("newarbots.reason", decision is null ? null : WireWord.Of(decision.Reason)))
            await LeaveAsync(writing);
        return decision is null ? RecorderExitCode.Unexpected : RecorderExitCode.Ended;
    }

    private async Task<LeaveDecision?> DecisionOfAsync(Task<LeaveDecision> attending)
    {
        try
        {
            return await attending;
        }
        catch (Exception exception)
        {
            // Even now the recording is to be ended well.
            LogUnexpected(exception);
            return null;
        }
    }

    private async Task<LeaveDecision> AttendAsync(Task writing)
    {
        var deadline = time.GetUtcNow() + environment.Leave.MaxDuration;
        try
        {
            using (RecorderActivity.Start("recorder start"))
                _browser = await MeetingBrowser.StartAsync(environment, hook);
        }
        catch (Exception exception) when (exception is PlaywrightException or InvalidOperationException or TimeoutException)
        {
            LogNoBrowser(exception);
            return new(EndReason.BrowserCrashed, $"The browser did not start: {exception.Message}");
        }

        _page = new MeetingPage(_browser.Page, hook, SelectorPack.Embedded, time, loggers.CreateLogger<MeetingPage>());
        var outcome = await joiner.JoinAsync(_page, deadline);
        return outcome.Refusal is { } refusal
            ? new(refusal, outcome.Detail)
            : await call.AttendAsync(_page, deadline, writing);
    }

    /// <summary>The audio first: it is all that cannot be had again.</summary>
    private async Task LeaveAsync(Task writing)
    {
        if (_page is { Gone: null })
            await WithinAsync(TimeSpan.FromSeconds(2), "stop the capture", _page.StopCaptureAsync());
        hook.Complete();
        await WithinAsync(TimeSpan.FromSeconds(2), "complete the last chunk", writing);
        if (_page is { Gone: null })
            await WithinAsync(TimeSpan.FromSeconds(1), "leave the call", _page.LeaveAsync());
        if (_browser is not null)
            await WithinAsync(TimeSpan.FromSeconds(1), "close the browser", _browser.DisposeAsync().AsTask());
    }

    private async Task WithinAsync(TimeSpan patience, string what, Task step)
    {
        try
        {
            await step.WaitAsync(patience, time);
        }
        catch (Exception exception)
        {
            // Whatever one step meets, the next ones are still to be taken.
            LogStepFailed(what, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The recorder failed")]
    private partial void LogUnexpected(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "The browser did not start")]
    private partial void LogNoBrowser(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not {What}")]
    private partial void LogStepFailed(string what, Exception exception);
}
