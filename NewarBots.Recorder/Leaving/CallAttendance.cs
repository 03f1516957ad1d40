using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Leaving;

/// <summary>Stays in the call, recording, until there is a reason to leave. Reports the progress every few seconds.</summary>
internal sealed partial class CallAttendance(
    RecorderAssignment assignment,
    SessionRecording recording,
    StatusReporter reporter,
    Evidence evidence,
    AudioRecovery audio,
    JoiningInput input,
    CountDisagreements disagreements,
    WaitingRoomGaps waitingRoom,
    SessionJournal journal,
    StopSignal stop,
    TimeProvider time,
    ILogger<CallAttendance> logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Left to itself, V8 accumulates and keeps 100 MiB in the first ten minutes. Most of it is outside its heap, so it sees no pressure to
    /// collect.
    /// </summary>
    private static readonly TimeSpan GarbageCollectionInterval = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan EvidenceTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Pages may remove guests who do not answer a dialog within seconds.</summary>
    private static readonly TimeSpan DialogEvidenceTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How often the mouse moves while the page hides its toolbar or its participant count.</summary>
    private static readonly TimeSpan ToolbarInterval = TimeSpan.FromSeconds(4);

    private readonly PresenceTracker _presence = new();
    private LeaveRules? _rules;

    /// <summary>The dialogs whose evidence was collected.</summary>
    private readonly HashSet<string> _reportedDialogs = [];

    /// <summary>When the page last showed the call.</summary>
    public DateTimeOffset? InCallAt => Volatile.Read(ref _rules)?.InCallAt;

    /// <param name="page">A page that shows the call.</param>
    /// <param name="deadline">When the bot must leave.</param>
    /// <param name="writing">The recording loop. The bot leaves when it fails.</param>
    public async Task<LeaveDecision> AttendAsync(MeetingPage page, DateTimeOffset deadline, Task writing)
    {
        try
        {
            return await StayAsync(page, deadline, writing);
        }
        finally
        {
            disagreements.Observe(participants: null, recording.Progress.RecordedSeconds);
            waitingRoom.Observe(isShown: false, isWaiting: false, recording.Progress.RecordedSeconds);
            audio.CompleteLoss(recording.Progress);
        }
    }

    private async Task<LeaveDecision> StayAsync(MeetingPage page, DateTimeOffset deadline, Task writing)
    {
        using (RecorderActivity.Start("recording start"))
            await page.StartCaptureAsync();
        if (stop.IsRequested)
            return new(EndReason.StopRequested);
        // After a rejoin, the warning about the loss stands until the first report, since the audio may still stay away.
        if (_rules is null)
            reporter.Report(BotStatus.Recording, figures: recording.Progress.Figures);
        // The participant count is in the toolbar, which hides itself.
        await page.ShowToolbarAsync();

        _rules = _rules?.AfterRejoin(time.GetUtcNow()) ?? new(assignment.Leave, deadline, time.GetUtcNow());
        var history = new JoinHistory(time.GetUtcNow(), new DialogAnswers(input.Selectors));
        var shownAt = time.GetUtcNow();
        var (reportedAt, reportedChunks, seenChanges) = (time.GetUtcNow(), 0, recording.SpeakerChanges);
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
            recording.MarkSpeakers(view.Speakers);
            var hadWarning = audio.Warning is not null;
            // A waiting room needs no connection.
            if (!_rules.IsWaiting)
                audio.CheckNetwork(page, progress, _rules.PossibleOthers(view, now), now);
            if (view.IsStillCallPage)
                await audio.CheckAsync(page, progress, view.Others ?? _rules.Others ?? (view.NamedPeople > 0 ? view.NamedPeople : null), now);
            var wasWaiting = _rules.IsWaiting;
            _rules = _rules.Observe(view, progress, audio.IsInDoubt, now, audio.IsNetworkInDoubt);
            disagreements.Observe(_rules.IsMiscounted ? view.Count : null, progress.RecordedSeconds);
            var presences = view.IsStillCallPage ? _presence.Observe(view.People, view.IsEverybodyShown, now) : [];
            foreach (var presence in presences)
                journal.TryAppend(new(Presence: presence));
            waitingRoom.Observe(view.IsWaitingRoom || view.IsFailed, _rules.IsWaiting, progress.RecordedSeconds);
            if (_rules.Decide() is { } decision)
                return decision;
            if (_rules.IsWaiting && !wasWaiting)
            {
                LogSentBack();
                audio.Pause(progress);
                reportedAt = DateTimeOffset.MinValue;
            }

            if (audio.CauseToLeave is { } cause)
                return new(cause, audio.Warning);

            history = history.WithPause(now).WithView(view, now);
            if (view.IsConcealed && now - shownAt >= ToolbarInterval)
            {
                shownAt = now;
                await page.ShowToolbarAsync();
            }

            if (history.Answers.Next(view, now) is { } answer && !history.IsLooping)
            {
                if (answer.IsDue)
                {
                    if (answer.IsGuess && _reportedDialogs.Add(answer.Key))
                        await Task.WhenAny(evidence.CollectDialogAsync($"{answer.Dialog}", page), stop.DelayAsync(DialogEvidenceTimeout));
                    if (stop.IsRequested)
                        return new(EndReason.StopRequested);
                    LogAnswering(answer.Button?.Name ?? "Escape", $"{answer.Dialog}");
                    await page.AnswerAsync(answer);
                    history = history.WithAnswer(answer, now);
                }
            }
            else if (JoinDecision.NoticeIn(view, history, now) is { } notice)
            {
                LogDismissing(notice.Entry);
                await page.ClickAsync(notice);
                history = history.WithAct(notice, now);
            }

            if (view is { IsStillCallPage: true, Capturing: false })
            {
                // The page was reloaded, or its encoder failed.
                LogRestartingCapture();
                await page.StartCaptureAsync();
            }

            if (!hadWarning && audio.Warning is { } warning)
                await Task.WhenAny(evidence.CollectAsync(EndReason.NoAudio, warning, page), stop.DelayAsync(EvidenceTimeout));
            if (now - collectedAt >= GarbageCollectionInterval)
            {
                collectedAt = now;
                await page.CollectGarbageAsync();
            }

            var speakerChanges = recording.SpeakerChanges;
            if (now - reportedAt >= HeartbeatInterval || progress.Chunks != reportedChunks || hadWarning != audio.Warning is not null)
            {
                (reportedAt, reportedChunks) = (now, progress.Chunks);
                reporter.Report(
                    BotStatus.Recording, audio.Warning is null ? null : EndReason.NoAudio, progress.Figures, _rules.Others, audio.Warning ?? _rules.WaitingDetail);
            }
            else if (presences.Count > 0 || speakerChanges != seenChanges)
            {
                reporter.Repeat();
            }

            seenChanges = speakerChanges;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Answering a dialog in the call with {Answer}: {Dialog}")]
    private partial void LogAnswering(string answer, string dialog);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host sent the bot back to the waiting room: it waits to be admitted again")]
    private partial void LogSentBack();

    [LoggerMessage(Level = LogLevel.Information, Message = "Dismissing the notice {Entry}")]
    private partial void LogDismissing(string entry);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The page shows the call but is not captured: starting the capture again")]
    private partial void LogRestartingCapture();
}
