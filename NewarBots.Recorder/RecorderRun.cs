using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder;

/// <summary>The whole run of a recorder, from launching the browser to reporting why the bot left.</summary>
internal sealed partial class RecorderRun(
    RecorderAssignment assignment,
    Func<IMeetingVisit> newVisit,
    StatusReporter reporter,
    SessionRecording recording,
    CaptureHook hook,
    AudioRecovery audio,
    RejoinBudget budget,
    Evidence evidence,
    StopSignal stop,
    Watchdog watchdog,
    TimeProvider time,
    ILogger<RecorderRun> logger)
{
    /// <summary>From the decision to leave to the exit of the process.</summary>
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(9.5);

    /// <summary>Added to <see cref="LeaveTimeout"/> if evidence is collected.</summary>
    private static readonly TimeSpan EvidenceTimeout = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan CrashedBrowserTimeout = TimeSpan.FromSeconds(5);

    private IMeetingVisit _visit = newVisit();
    private IMeetingVisit? _replacedVisit;
    private EndReason? _rejoinsFor;

    /// <returns>The exit code. By then the final status is in the journal and in the outbox.</returns>
    public async Task<RecorderExitCode> RunAsync()
    {
        reporter.Report(BotStatus.Joining);

        var writing = recording.WriteAsync(hook.Messages);
        var attending = AttendAsync(writing);
        // A stop does not wait for a visit that hangs.
        await Task.WhenAny(attending, stop.Requested);
        var decision = stop.IsRequested ? new LeaveDecision(EndReason.StopRequested) : await DecisionOfAsync(attending);

        // Audio that is not captured at the end makes the recording incomplete, whatever the reason to leave.
        var audioWarning = audio.Warning;
        watchdog.Arm(decision is { IsOrdinary: true } ? LeaveTimeout : LeaveTimeout + EvidenceTimeout);
        if (decision is not null)
        {
            var progress = recording.Progress;
            reporter.Report(
                BotStatus.Leaving,
                decision.Reason,
                progress.Chunks > 0 ? progress.Figures : null,
                detail: audioWarning is null ? decision.Detail : $"{decision.Detail} {audioWarning}".TrimStart());
        }

        using (RecorderActivity.Start("leave")?.SetTag("newarbots.reason", decision is null ? null : WireWord.Of(decision.Reason)))
            await LeaveAsync(writing, decision);
        return decision switch
        {
            null => RecorderExitCode.Unexpected,
            { IsGuess: true } => RecorderExitCode.EndedByGuess,
            _ when audioWarning is not null => RecorderExitCode.EndedByGuess,
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
            // The recording is still completed.
            LogUnexpected(exception);
            return null;
        }
    }

    /// <summary>
    /// Attends the meeting, and rejoins it if the browser crashes, or the audio stays away, before the meeting ends.
    /// <see cref="RejoinBudget"/> limits the rejoins.
    /// </summary>
    private async Task<LeaveDecision> AttendAsync(Task writing)
    {
        var deadline = time.GetUtcNow() + assignment.Leave.MaxDuration;
        var wasInCall = false;
        while (true)
        {
            var decision = await _visit.AttendAsync(isAgain: wasInCall, deadline, writing);
            var isRejoinRefused = wasInCall && !_visit.WasInCall && !decision.EndsTheMeeting;
            wasInCall |= _visit.WasInCall;
            // A page that cannot be opened, or not be recognized while the network is bad, is as unreachable as the call.
            var isUnreachable = isRejoinRefused
                && (decision.IsUnreachable || (_rejoinsFor is EndReason.NetworkLost && decision.Reason is EndReason.JoinFailed));
            var attempt = isUnreachable ? budget.TakeUnreachable() : null;
            if (isRejoinRefused && attempt is null)
                return RefusedBy(decision);
            if (attempt is not null)
                decision = new(_rejoinsFor!.Value, decision.Detail);
            if (decision.Reason is EndReason.BrowserCrashed or EndReason.NetworkLost or EndReason.NoAudio && time.GetUtcNow() >= deadline)
                return new(EndReason.MaxDuration, decision.Detail);
            attempt ??= budget.Take(decision.Reason);
            if (attempt is null)
                return decision;

            (_rejoinsFor, _replacedVisit) = (decision.Reason, _visit);
            recording.SetCauseOfRestart(CauseOfGap(decision.Reason));
            LogRejoining(decision.Detail, $"{attempt}");
            // Until the bot is in the call again, nothing is recorded.
            reporter.Report(
                wasInCall ? BotStatus.Recording : BotStatus.Joining,
                wasInCall ? EndReason.NoAudio : null,
                wasInCall ? recording.Progress.Figures : null,
                detail: $"{decision.Detail} {attempt}");
            // Audio that is captured from here on would be silence outside the gap.
            if (decision.Reason is not EndReason.BrowserCrashed)
                await WithTimeoutAsync(TimeSpan.FromSeconds(2), "stop the capture", _visit.StopCaptureAsync());
            await WithTimeoutAsync(CrashedBrowserTimeout, "collect evidence", CollectEvidenceAsync(decision, _visit, isLast: false));
            if (decision.Reason is not EndReason.BrowserCrashed)
            {
                audio.CompleteLoss(recording.Progress);
                await WithTimeoutAsync(TimeSpan.FromSeconds(1), "leave the call", _visit.LeaveAsync());
            }

            await WithTimeoutAsync(CrashedBrowserTimeout, "close the browser", _visit.CloseAsync().AsTask());
            await stop.DelayAsync(attempt.Delay);
            if (stop.IsRequested)
                return new(EndReason.StopRequested);
            _visit = newVisit();
        }
    }

    private LeaveDecision RefusedBy(LeaveDecision refusal)
    {
        var (reason, why) = _rejoinsFor switch
        {
            EndReason.NetworkLost => (EndReason.NetworkLost, "The connection to the call was lost"),
            // The network works, unless the page cannot be opened.
            EndReason.NoAudio => (refusal.IsUnreachable ? EndReason.NetworkLost : refusal.Reason, "The audio of the call was not recorded"),
            _ => (EndReason.BrowserCrashed, "The browser crashed"),
        };
        return new(reason, $"{why}, and rejoining the meeting failed ({WireWord.Of(refusal.Reason)}). {refusal.Detail}");
    }

    /// <summary>Completes the audio first: it is the only part that cannot be obtained later.</summary>
    private async Task LeaveAsync(Task writing, LeaveDecision? decision)
    {
        var visit = _visit;
        // A page that hangs counts as the call until the bot leaves. A page that shows something else counts until it last showed the call.
        var until = decision is { Reason: EndReason.StopRequested or EndReason.MaxDuration } ? time.GetUtcNow() : visit.InCallAt;
        if (until is { } at)
        {
            var isInCall = visit.WasInCall && visit != _replacedVisit;
            recording.SetEnd(new(at, isInCall ? GapCause.CaptureStalled : CauseOfGap(_rejoinsFor ?? decision?.Reason)));
        }

        await WithTimeoutAsync(TimeSpan.FromSeconds(2), "stop the capture", visit.StopCaptureAsync());
        hook.Complete();
        await WithTimeoutAsync(TimeSpan.FromSeconds(2), "complete the last chunk", writing);
        if (decision is not { IsOrdinary: true })
            await WithTimeoutAsync(EvidenceTimeout, "collect evidence", CollectEvidenceAsync(decision, visit, isLast: true));
        await WithTimeoutAsync(TimeSpan.FromSeconds(1), "leave the call", visit.LeaveAsync());
        await WithTimeoutAsync(TimeSpan.FromSeconds(1), "close the browser", visit.CloseAsync().AsTask());
    }

    private static string CauseOfGap(EndReason? reason) => reason switch
    {
        EndReason.NetworkLost => GapCause.NetworkLost,
        EndReason.NoAudio => GapCause.NotHeard,
        _ => GapCause.BrowserRestarted,
    };

    private Task CollectEvidenceAsync(LeaveDecision? decision, IMeetingVisit visit, bool isLast) =>
        evidence.CollectAsync(decision?.Reason, decision?.Detail, visit.Page, isLast);

    private async Task WithTimeoutAsync(TimeSpan timeout, string description, Task step)
    {
        try
        {
            await step.WaitAsync(timeout, time);
        }
        catch (Exception exception)
        {
            // A step that fails must not keep the following ones from running.
            LogStepFailed(description, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The recorder failed unexpectedly and is leaving the meeting")]
    private partial void LogUnexpected(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Why} {Attempt}")]
    private partial void LogRejoining(string? why, string attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Step failed, continuing: {Step}")]
    private partial void LogStepFailed(string step, Exception exception);
}
