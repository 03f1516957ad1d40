using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Joining;

/// <summary>Goes into the call as a guest does: look at the page, decide (<see cref="JoinDecision"/>), act, look again.</summary>
internal sealed partial class Joiner(
    RecorderEnvironment environment,
    StatusReporter reporter,
    StopSignal stop,
    TimeProvider time,
    ILogger<Joiner> logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>While there is nothing to be recognised: a page that has just come shows something at any moment.</summary>
    private static readonly TimeSpan FirstLookInterval = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan WaitingReportInterval = TimeSpan.FromSeconds(15);

    /// <param name="page">A page that shows nothing yet.</param>
    /// <param name="isAgain">The bot was in the call before and is to the world still recording.</param>
    /// <param name="deadline">When the bot has to be gone whatever happens.</param>
    public async Task<JoinOutcome> JoinAsync(MeetingPage page, bool isAgain, DateTimeOffset deadline)
    {
        using var activity = RecorderActivity.Start("join");
        var outcome = await page.OpenAsync(environment.MeetingUrl) ?? await WalkInAsync(page, isAgain, deadline, activity);
        activity?.SetTag("newarbots.join.outcome", outcome.Refusal is { } reason ? WireWord.Of(reason) : "admitted");
        if (outcome.Refusal is { } refusal and not EndReason.StopRequested)
            activity.Fail(refusal, outcome.Detail);
        return outcome;
    }

    private async Task<JoinOutcome> WalkInAsync(MeetingPage page, bool isAgain, DateTimeOffset deadline, Activity? activity)
    {
        var history = new JoinHistory(time.GetUtcNow());
        var reportedWaitingAt = DateTimeOffset.MinValue;
        while (true)
        {
            if (stop.IsRequested)
                return Settled(new(EndReason.StopRequested));
            if (page.Gone is { } gone)
                return Settled(new(EndReason.BrowserCrashed, gone));
            var now = time.GetUtcNow();
            if (now >= deadline)
                return Settled(new(EndReason.MaxDuration));

            var view = await page.LookAsync();
            history = history.WithView(view, now);
            switch (JoinDecision.Decide(view, history, environment.BotName, environment.Leave, now))
            {
                case JoinDecision.Admitted:
                    return Settled(JoinOutcome.Admitted);
                case JoinDecision.GiveUp giveUp:
                    LogGivenUp(giveUp.Reason, giveUp.Detail);
                    return Settled(new(giveUp.Reason, giveUp.Detail));
                case JoinDecision.FillName fill:
                    await ActAsync(fill.Box, "fill", () => page.FillAsync(fill.Box, environment.BotName));
                    continue;
                case JoinDecision.Click click:
                    await ActAsync(click.Target, "click", () => page.ClickAsync(click.Target));
                    continue;
                case JoinDecision.Press press:
                    await ActAsync(press.Target, "press", () => page.PressAsync(press.Target));
                    continue;
                case JoinDecision.WaitInWaitingRoom:
                    history = history.WithWaitingRoom(now);
                    if (now - reportedWaitingAt >= WaitingReportInterval)
                    {
                        reportedWaitingAt = now;
                        var left = environment.Leave.WaitingRoomTimeout - (now - history.WaitingSince!.Value);
                        reporter.Report(isAgain ? BotStatus.Recording : BotStatus.Waiting, detail: $"Waits to be let in, for {left.TotalSeconds:0} s more.");
                    }

                    break;
                case JoinDecision.Wait:
                    break;
            }

            await stop.DelayAsync(view.Matches.Count == 0 ? FirstLookInterval : LookInterval);
        }

        JoinOutcome Settled(JoinOutcome outcome)
        {
            if (history.WaitingSince is { } since)
                RecorderActivity.Start("admission wait", since)?.Dispose();
            return outcome;
        }

        async Task ActAsync(PageMatch target, string verb, Func<Task> act)
        {
            LogActs(verb, target.Entry);
            activity?.AddEvent(new($"page.{verb}", tags: new() { ["newarbots.page.entry"] = target.Entry }));
            await act();
            history = history.WithAct(target, time.GetUtcNow());
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Verb} {Entry}")]
    private partial void LogActs(string verb, string entry);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Does not join ({Reason}): {Detail}")]
    private partial void LogGivenUp(EndReason reason, string detail);
}
