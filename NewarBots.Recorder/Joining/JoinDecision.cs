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

    /// <summary>Press it by the keyboard: something lies over it.</summary>
    internal sealed record Press(PageMatch Target) : JoinDecision;

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
            return NoticeIn(view, history, now) is { } notice ? new Click(notice) : new Admitted();

        if (view.Find(PageSign.WaitingRoom) is { } waiting)
        {
            return history.WaitingSince is { } since && now - since >= leave.WaitingRoomTimeout
                ? new GiveUp(EndReason.WaitingRoomTimeout, $"Nobody let the bot in for {leave.WaitingRoomTimeout.TotalSeconds:0} s.")
                : new WaitInWaitingRoom(waiting);
        }

        if (view.Find(PageSign.NameBox) is { Place.Free: true } box && box.Value?.Trim() != botName.Trim() && !history.IsExhausted(box))
            return history.MayAct(box, now) ? new FillName(box) : new Wait();

        // Nothing is joined behind a dialog, or with a microphone or a camera that may be on.
        if (NextClick(view, history, BeforeJoining) is { } first)
            return history.MayAct(first, now) ? new Click(first) : new Wait();
        if (AreDevicesOff(view, history, now) && DecideToJoin(view, history, now) is { } join)
            return join;
        return now - history.LastProgressAt >= JoinHistory.Patience
            ? new GiveUp(EndReason.JoinFailed, $"The page cannot be joined: {view.Url} \"{view.Title}\" shows [{view.Entries}].")
            : new Wait();
    }

    /// <summary>
    /// The next notice to answer in the call: that it is recorded or transcribed (a second join button), that others see the video
    /// differently, and so on.
    /// </summary>
    public static PageMatch? NoticeIn(PageView view, JoinHistory history, DateTimeOffset now) =>
        view.IsStillCallPage && NextClick(view, history, InCall) is { } notice && history.MayAct(notice, now) ? notice : null;

    private static JoinDecision? DecideToJoin(PageView view, JoinHistory history, DateTimeOffset now)
    {
        if (NextClick(view, history, [PageSign.JoinButton]) is { } free)
            return history.MayAct(free, now) ? new Click(free) : new Wait();
        if (view.Find(PageSign.JoinButton) is not { Place: not null } covered)
            return null;
        if (NextClick(view, history, [PageSign.Obstacle]) is { } obstacle)
            return history.MayAct(obstacle, now) ? new Click(obstacle) : new Wait();
        return now - history.LastProgressAt >= JoinHistory.CoveredPatience && history.MayAct(covered, now) ? new Press(covered) : null;
    }

    private static PageMatch? NextClick(PageView view, JoinHistory history, PageSign[] signs) => signs
        .SelectMany(sign => view.Matches.Where(match => match.Sign == sign))
        .FirstOrDefault(match => match.Place is { Free: true } && !history.IsExhausted(match));

    /// <summary>
    /// Both are seen to be off. A page that shows no such control has no such device, once it had the time to show one.
    /// </summary>
    private static bool AreDevicesOff(PageView view, JoinHistory history, DateTimeOffset now)
    {
        var hadTime = now - history.AtDoorSince >= JoinHistory.DevicesPatience;
        return IsOff(PageSign.MicrophoneOn, PageSign.MicrophoneOff) && IsOff(PageSign.CameraOn, PageSign.CameraOff);

        bool IsOff(PageSign on, PageSign off) => !view.Shows(on) && (hadTime || view.Shows(off));
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

    private static readonly PageSign[] BeforeJoining = [PageSign.Dialog, PageSign.MicrophoneOn, PageSign.CameraOn];

    private static readonly PageSign[] InCall = [PageSign.Dialog, PageSign.JoinButton];
}
