using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder;

/// <summary>The whole run of a recorder, from the start of the browser to the last word about why it left.</summary>
internal sealed partial class RecorderRun(
    RecorderEnvironment environment,
    Func<IMeetingVisit> newVisit,
    StatusReporter reporter,
    SessionRecording recording,
    CaptureHook hook,
    HearingAid hearing,
    Evidence evidence,
    StopSignal stop,
    Watchdog watchdog,
    TimeProvider time,
    ILogger<RecorderRun> logger)
{
    /// <summary>So often a browser that died is replaced, and the meeting joined again.</summary>
    private const int MaxRejoins = 2;

    /// <summary>From the decision to leave to the end of the process.</summary>
    private static readonly TimeSpan LongestLeaving = TimeSpan.FromSeconds(9.5);

    /// <summary>So much longer may it take where evidence is taken.</summary>
    private static readonly TimeSpan EvidencePatience = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan ClosingPatience = TimeSpan.FromSeconds(5);

    private IMeetingVisit _visit = newVisit();

    /// <returns>How the process is to end; the last word is in the journal and in the outbox.</returns>
    public async Task<RecorderExitCode> RunAsync()
    {
        reporter.Report(BotStatus.Joining);

        var writing = recording.WriteAsync(hook.Messages);
        var attending = AttendAsync(writing);
        // Whoever asks for a stop does not wait for what hangs.
        await Task.WhenAny(attending, stop.Requested);
        var decision = stop.IsRequested ? new LeaveDecision(EndReason.StopRequested) : await DecisionOfAsync(attending);

        // What is not heard at the end is missing, whatever the reason to leave.
        var deaf = hearing.Warning;
        watchdog.Arm(decision is { IsOrdinary: true } ? LongestLeaving : LongestLeaving + EvidencePatience);
        if (decision is not null)
        {
            var progress = recording.Progress;
            reporter.Report(BotStatus.Leaving, decision.Reason, progress.Chunks > 0 ? progress : null, detail: deaf is null ? decision.Detail : $"{decision.Detail} {deaf}".TrimStart());
        }

        using (RecorderActivity.Start("leave")?.SetTag("newarbots.reason", decision is null ? null : WireWord.Of(decision.Reason)))
            await LeaveAsync(writing, decision);
        return decision switch
        {
            null => RecorderExitCode.Unexpected,
            { IsGuess: true } => RecorderExitCode.EndedByGuess,
            _ when deaf is not null => RecorderExitCode.EndedByGuess,
            _ => RecorderExitCode.Ended,
        };
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

    /// <summary>Visits the meeting, and visits it again where the browser died and not the meeting.</summary>
    private async Task<LeaveDecision> AttendAsync(Task writing)
    {
        var deadline = time.GetUtcNow() + environment.Leave.MaxDuration;
        var wasInCall = false;
        for (var rejoins = 0; ; rejoins++)
        {
            var decision = await _visit.AttendAsync(isAgain: wasInCall, deadline, writing);
            var isRefusedAgain = wasInCall && !_visit.WasInCall && !decision.EndsTheMeeting;
            wasInCall |= _visit.WasInCall;
            if (isRefusedAgain)
                return new(EndReason.BrowserCrashed, $"The browser had died, and the meeting could not be joined again ({WireWord.Of(decision.Reason)}). {decision.Detail}");
            if (decision.Reason is EndReason.BrowserCrashed && time.GetUtcNow() >= deadline)
                return new(EndReason.MaxDuration, decision.Detail);
            if (decision.Reason is not EndReason.BrowserCrashed || rejoins == MaxRejoins)
                return decision;

            LogJoinsAgain(decision.Detail, rejoins + 1, MaxRejoins);
            reporter.Report(
                wasInCall ? BotStatus.Recording : BotStatus.Joining,
                progress: wasInCall ? recording.Progress : null,
                detail: $"{decision.Detail} Joins again ({rejoins + 1} of {MaxRejoins}).");
            await WithinAsync(ClosingPatience, "take evidence", evidence.TakeAsync(decision, _visit.Page));
            await WithinAsync(ClosingPatience, "close the browser", _visit.CloseAsync().AsTask());
            if (stop.IsRequested)
                return new(EndReason.StopRequested);
            _visit = newVisit();
        }
    }

    /// <summary>The audio first: it is all that cannot be had again.</summary>
    private async Task LeaveAsync(Task writing, LeaveDecision? decision)
    {
        var visit = _visit;
        // A page that hangs is the call until the bot leaves it; one that shows another page was it until then.
        var until = decision is { Reason: EndReason.StopRequested or EndReason.MaxDuration } ? time.GetUtcNow() : visit.InCallAt;
        if (until is { } at)
            recording.EndsAt(new(at, visit.WasInCall ? GapCause.CaptureStalled : GapCause.BrowserRestarted));
        await WithinAsync(TimeSpan.FromSeconds(2), "stop the capture", visit.StopCaptureAsync());
        hook.Complete();
        await WithinAsync(TimeSpan.FromSeconds(2), "complete the last chunk", writing);
        if (decision is not { IsOrdinary: true })
            await WithinAsync(EvidencePatience, "take evidence", evidence.TakeAsync(decision, visit.Page));
        await WithinAsync(TimeSpan.FromSeconds(1), "leave the call", visit.LeaveAsync());
        await WithinAsync(TimeSpan.FromSeconds(1), "close the browser", visit.CloseAsync().AsTask());
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

    [LoggerMessage(Level = LogLevel.Error, Message = "{Why} Joins again ({Rejoin} of {MaxRejoins})")]
    private partial void LogJoinsAgain(string? why, int rejoin, int maxRejoins);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not {What}")]
    private partial void LogStepFailed(string what, Exception exception);
}
