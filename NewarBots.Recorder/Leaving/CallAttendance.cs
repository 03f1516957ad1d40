using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Leaving;

/// <summary>Stays in the call, with the ear open, until there is a reason to leave; says every few seconds how it goes.</summary>
internal sealed partial class CallAttendance(
    RecorderEnvironment environment,
    SessionRecording recording,
    StatusReporter reporter,
    Evidence evidence,
    HearingAid hearing,
    StopSignal stop,
    TimeProvider time,
    ILogger<CallAttendance> logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// By itself V8 lets 100 MiB gather in the first ten minutes, which it then keeps: little of it is its own heap, so it sees no need.
    /// </summary>
    private static readonly TimeSpan GarbageInterval = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan EvidencePatience = TimeSpan.FromSeconds(5);

    private LeaveRules? _rules;

    /// <summary>When the call was last seen to be there.</summary>
    public DateTimeOffset? InCallAt => Volatile.Read(ref _rules)?.InCallAt;

    /// <param name="page">A page that shows the call.</param>
    /// <param name="deadline">When the bot has to be gone whatever happens.</param>
    /// <param name="writing">The recording's loop; when it fails, nothing more can be kept.</param>
    public async Task<LeaveDecision> AttendAsync(MeetingPage page, DateTimeOffset deadline, Task writing)
    {
        using (RecorderActivity.Start("recording start"))
            await page.StartCaptureAsync();
        if (stop.IsRequested)
            return new(EndReason.StopRequested);
        reporter.Report(BotStatus.Recording, progress: recording.Progress);
        // The page tells how many there are in its toolbar, which hides itself.
        await page.ShowToolbarAsync();

        _rules = _rules?.JoinedAgain(time.GetUtcNow()) ?? new(environment.Leave, deadline, time.GetUtcNow());
        var history = new JoinHistory(time.GetUtcNow());
        var (reportedAt, reportedChunks) = (time.GetUtcNow(), 0);
        var collectedAt = time.GetUtcNow();
        while (true)
        {
            await stop.DelayAsync(LookInterval);
            var view = stop.IsRequested ? PageView.Nothing : await page.LookAsync();
            if (stop.IsRequested)
                return new(EndReason.StopRequested);
            if (page.Gone is { } gone)
                return new(EndReason.BrowserCrashed, gone);
            if (writing.Exception?.InnerException is { } failure)
                return new(EndReason.StorageFailed, failure.Message);

            var now = time.GetUtcNow();
            var progress = recording.Progress;
            recording.SeeSpeakers(view.Speakers);
            var warned = hearing.Warning is not null;
            if (view.IsStillCallPage)
                await hearing.TendAsync(page, progress, view.Others, now);
            _rules = _rules.Observe(view, progress, hearing.IsInDoubt, now);
            if (_rules.Decide() is { } decision)
                return decision;
            history = history.WithView(view, now);
            if (JoinDecision.NoticeIn(view, history, now) is { } notice)
            {
                LogAnswers(notice.Entry);
                await page.ClickAsync(notice);
                history = history.WithAct(notice, now);
            }

            if (view is { IsStillCallPage: true, Capturing: false })
            {
                // The page was loaded anew, or its encoder failed.
                LogHooksAgain();
                await page.StartCaptureAsync();
            }

            if (!warned && hearing.Warning is { } deaf)
                await Task.WhenAny(evidence.TakeAsync(new(EndReason.NoAudio, deaf), page), stop.DelayAsync(EvidencePatience));
            if (now - collectedAt >= GarbageInterval)
            {
                collectedAt = now;
                await page.CollectGarbageAsync();
            }

            if (now - reportedAt >= HeartbeatInterval || progress.Chunks != reportedChunks || warned != hearing.Warning is not null)
            {
                (reportedAt, reportedChunks) = (now, progress.Chunks);
                reporter.Report(
                    BotStatus.Recording, hearing.Warning is null ? null : EndReason.NoAudio, progress, view.Others, hearing.Warning);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Answers {Entry}")]
    private partial void LogAnswers(string entry);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The page is in the call and not heard: begins to capture again")]
    private partial void LogHooksAgain();
}
