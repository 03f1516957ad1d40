using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Joining;

/// <summary>Joins the call as a guest would: look at the page, decide (<see cref="JoinDecision"/>), act, look again.</summary>
internal sealed partial class Joiner(
    RecorderAssignment assignment,
    StatusReporter reporter,
    StopSignal stop,
    TimeProvider time,
    JoiningInput input,
    ILogger<Joiner> logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>While no selector matches: the page is loading and may show something at any moment.</summary>
    private static readonly TimeSpan LoadingLookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>How often the mouse moves while the page hides controls that may prove the call.</summary>
    private static readonly TimeSpan ToolbarInterval = TimeSpan.FromSeconds(2);

    /// <summary>How long a page that does not open is retried. After that, the cause is no hiccup.</summary>
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan OpenRetryDelay = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan WaitingReportInterval = TimeSpan.FromSeconds(15);

    /// <param name="page">A blank page.</param>
    /// <param name="isAgain">
    /// The bot was in the call before, so its reported status stays <c>recording</c>, with the warning that nothing is recorded.
    /// </param>
    /// <param name="deadline">When the bot must leave.</param>
    public async Task<JoinOutcome> JoinAsync(MeetingPage page, bool isAgain, DateTimeOffset deadline)
    {
        using var activity = RecorderActivity.Start("join");
        var outcome = await OpenAsync(page, isAgain) ?? await JoinOpenedAsync(page, isAgain, deadline, activity);
        activity?.SetTag("newarbots.join.outcome", outcome.Refusal is { } reason ? WireWord.Of(reason) : "admitted");
        if (outcome.Refusal is { } refusal and not EndReason.StopRequested)
            activity.Fail(refusal, outcome.Detail);
        return outcome;
    }

    /// <summary>Retries a page that does not open. A rejoin does not: it is retried with another browser.</summary>
    private async Task<JoinOutcome?> OpenAsync(MeetingPage page, bool isAgain)
    {
        var since = time.GetUtcNow();
        while (true)
        {
            var outcome = await page.OpenAsync(assignment.MeetingUrl);
            if (outcome is not { IsUnreachable: true, Detail: var error } || isAgain || stop.IsRequested || time.GetUtcNow() - since + OpenRetryDelay >= OpenTimeout)
                return outcome;
            LogRetryingToOpen(error, OpenRetryDelay.TotalSeconds);
            await stop.DelayAsync(OpenRetryDelay);
        }
    }

    private async Task<JoinOutcome> JoinOpenedAsync(MeetingPage page, bool isAgain, DateTimeOffset deadline, Activity? activity)
    {
        var history = new JoinHistory(time.GetUtcNow(), new DialogAnswers(input.Selectors)) { IsAgain = isAgain };
        var (reportedWaitingAt, shownAt) = (DateTimeOffset.MinValue, DateTimeOffset.MinValue);
        while (true)
        {
            if (stop.IsRequested)
                return End(new(EndReason.StopRequested));
            if (page.Gone is { } gone)
                return End(new(EndReason.BrowserCrashed, gone));
            var now = time.GetUtcNow();
            if (now >= deadline)
                return End(new(EndReason.MaxDuration));

            var view = await page.LookAsync();
            history = history.WithView(view, now);
            switch (JoinDecision.Decide(view, history, assignment.BotName, assignment.Leave, now))
            {
                case JoinDecision.Admitted:
                    return End(JoinOutcome.Admitted);
                case JoinDecision.GiveUp giveUp:
                    LogGivingUp(giveUp.Reason, giveUp.Detail);
                    return End(new(giveUp.Reason, giveUp.Detail));
                case JoinDecision.FillName fill:
                    await ActAsync(fill.Box, "fill", () => page.FillAsync(fill.Box, assignment.BotName));
                    continue;
                case JoinDecision.Click click:
                    await ActAsync(click.Target, "click", () => page.ClickAsync(click.Target));
                    continue;
                case JoinDecision.Press press:
                    await ActAsync(press.Target, "press", () => page.PressAsync(press.Target));
                    continue;
                case JoinDecision.AnswerDialog { Answer: var answer }:
                    LogAnswering(answer.Button?.Name ?? "Escape", answer.Dialog);
                    activity?.AddEvent(new("page.answer", tags: new() { ["newarbots.page.entry"] = answer.Button?.Entry }));
                    await page.AnswerAsync(answer);
                    history = history.WithAnswer(answer, time.GetUtcNow());
                    continue;
                case JoinDecision.Reload reload:
                    LogReloading(reload.Error);
                    await page.ReloadAsync();
                    history = history.WithReload(time.GetUtcNow());
                    continue;
                case JoinDecision.WaitInWaitingRoom:
                    history = history.WithWaitingRoom(now);
                    if (now - reportedWaitingAt >= WaitingReportInterval)
                    {
                        reportedWaitingAt = now;
                        var left = assignment.Leave.WaitingRoomTimeout - (now - history.WaitingSince!.Value);
                        reporter.Report(
                            isAgain ? BotStatus.Recording : BotStatus.Waiting,
                            isAgain ? EndReason.NoAudio : null,
                            detail: $"{(isAgain ? "Nothing is recorded while the bot waits to be admitted again" : "Waiting to be admitted")}, for up to {left.TotalSeconds:0} s more.");
                    }

                    break;
                case JoinDecision.Wait:
                    break;
            }

            if (view.IsConcealed && now - shownAt >= ToolbarInterval)
            {
                shownAt = now;
                await page.ShowToolbarAsync();
            }

            await stop.DelayAsync(view.Matches.Count == 0 && history.WaitingSince is null ? LoadingLookInterval : LookInterval);
        }

        JoinOutcome End(JoinOutcome outcome)
        {
            if (history.WaitingSince is { } since)
                RecorderActivity.Start("admission wait", since)?.Dispose();
            return outcome;
        }

        async Task ActAsync(PageMatch target, string verb, Func<Task> act)
        {
            LogAction(verb, target.Entry);
            activity?.AddEvent(new($"page.{verb}", tags: new() { ["newarbots.page.entry"] = target.Entry }));
            await act();
            history = history.WithAct(target, time.GetUtcNow());
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Action on the page: {Verb} {Entry}")]
    private partial void LogAction(string verb, string entry);

    [LoggerMessage(Level = LogLevel.Information, Message = "Answering a dialog with {Answer}: {Dialog}")]
    private partial void LogAnswering(string answer, PageDialog dialog);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Error} Will retry in {Seconds} s")]
    private partial void LogRetryingToOpen(string? error, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The platform dropped the request to join, loading the page again: {Error}")]
    private partial void LogReloading(string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Giving up joining the meeting ({Reason}): {Detail}")]
    private partial void LogGivingUp(EndReason reason, string detail);
}

/// <summary>The result of an attempt to join.</summary>
/// <param name="Refusal">Why the bot is not in the call; <see langword="null"/> if it is.</param>
/// <param name="Detail">One line for a person.</param>
internal sealed record JoinOutcome(EndReason? Refusal, string? Detail = null)
{
    /// <summary>The page did not open: the network, DNS or the server failed.</summary>
    public bool IsUnreachable { get; init; }

    public static JoinOutcome Admitted { get; } = new(Refusal: null);
}
