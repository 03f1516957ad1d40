using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>What to do about a page on the way into a call.</summary>
internal abstract record JoinDecision
{
    private JoinDecision()
    {
    }

    /// <summary>Look again.</summary>
    internal sealed record Wait : JoinDecision;

    /// <summary>Wait to be let in.</summary>
    internal sealed record WaitInWaitingRoom(PageMatch Seen) : JoinDecision;

    internal sealed record Click(PageMatch Target) : JoinDecision;

    internal sealed record FillName(PageMatch Box) : JoinDecision;

    /// <summary>The call is joined.</summary>
    internal sealed record Admitted : JoinDecision;

    /// <summary>There will be no call.</summary>
    internal sealed record GiveUp(EndReason Reason, string Detail) : JoinDecision;

    /// <summary>Decides from what the page shows and what was done so far; nothing else.</summary>
    /// <param name="view">The page.</param>
    /// <param name="history">What was done so far.</param>
    /// <param name="botName">The name to give.</param>
    /// <param name="leave">How long to wait.</param>
    /// <param name="now">When the page was looked at.</param>
    public static JoinDecision Decide(PageView view, JoinHistory history, string botName, LeaveConditions leave, DateTimeOffset now)
    {
        // A refusal first: the waiting room's text can outlive it.
        foreach (var (sign, reason) in Refusals)
        {
            if (view.Find(sign) is { } refusal)
                return new GiveUp(reason, $"The page shows {refusal.Entry}.");
        }

        if (view.IsInCall)
            return view.Find(PageSign.Dialog) is { Place.Free: true } notice && history.MayAct(notice, now) ? new Click(notice) : new Admitted();

        if (view.Find(PageSign.WaitingRoom) is { } waiting)
        {
            return history.WaitingSince is { } since && now - since >= leave.WaitingRoomTimeout
                ? new GiveUp(EndReason.WaitingRoomTimeout, $"Nobody let the bot in for {leave.WaitingRoomTimeout.TotalSeconds:0} s.")
                : new WaitInWaitingRoom(waiting);
        }

        if (view.Find(PageSign.NameBox) is { Place.Free: true } box && box.Value?.Trim() != botName.Trim() && !history.IsExhausted(box))
            return history.MayAct(box, now) ? new FillName(box) : new Wait();

        // Nothing is joined behind a dialog, or with a microphone or a camera that is on and can be turned off.
        foreach (var sign in Clicks)
        {
            var targets = view.Matches.Where(match => match.Sign == sign && match.Place is { Free: true } && !history.IsExhausted(match));
            foreach (var target in targets)
                return history.MayAct(target, now) ? new Click(target) : new Wait();
        }

        return now - history.LastProgressAt >= JoinHistory.Patience
            ? new GiveUp(EndReason.JoinFailed, $"The page cannot be joined: {view.Url} \"{view.Title}\" shows [{view.Entries}].")
            : new Wait();
    }

    private static readonly (PageSign Sign, EndReason Reason)[] Refusals =
    [
        // Before the denial: the page offers to ask again after either.
        (PageSign.NoAnswer, EndReason.WaitingRoomTimeout),
        (PageSign.Denied, EndReason.DeniedByHost),
        (PageSign.Blocked, EndReason.BlockedByPlatform),
        (PageSign.NotFound, EndReason.MeetingNotFound),
        (PageSign.LoginNeeded, EndReason.LoginRequired),
        (PageSign.Removed, EndReason.RemovedByHost),
        (PageSign.Ended, EndReason.MeetingEnded),
        (PageSign.Left, EndReason.DeniedByHost),
    ];

    private static readonly PageSign[] Clicks = [PageSign.Dialog, PageSign.MicrophoneOn, PageSign.CameraOn, PageSign.JoinButton];
}
