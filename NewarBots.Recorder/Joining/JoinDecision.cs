using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>The next step towards joining the call.</summary>
internal abstract record JoinDecision
{
    private JoinDecision()
    {
    }

    /// <summary>Do nothing and look again.</summary>
    internal sealed record Wait : JoinDecision;

    /// <summary>Wait to be admitted.</summary>
    internal sealed record WaitInWaitingRoom : JoinDecision;

    internal sealed record Click(PageMatch Target) : JoinDecision;

    /// <summary>Press the control by keyboard, because something covers it.</summary>
    internal sealed record Press(PageMatch Target) : JoinDecision;

    internal sealed record AnswerDialog(DialogAnswer Answer) : JoinDecision;

    internal sealed record FillName(PageMatch Box) : JoinDecision;

    /// <summary>Load the page again, because the platform has dropped its session.</summary>
    internal sealed record Reload(string Error) : JoinDecision;

    /// <summary>The bot is in the call.</summary>
    internal sealed record Admitted : JoinDecision;

    /// <summary>The call cannot be joined.</summary>
    internal sealed record GiveUp(EndReason Reason, string Detail) : JoinDecision;

    /// <summary>Decides from the page and the earlier actions only.</summary>
    /// <param name="view">The page.</param>
    /// <param name="history">The earlier actions.</param>
    /// <param name="botName">The name to enter.</param>
    /// <param name="leave">How long to wait for admission.</param>
    /// <param name="now">The time of the look.</param>
    public static JoinDecision Decide(PageView view, JoinHistory history, string botName, LeaveConditions leave, DateTimeOffset now)
    {
        // A lobby may play sounds, too. Audio on a page that still offers to join proves a call only after the request to join.
        var isCall = view.IsProvenCall || (history.IsReceiving(now) && view.IsAdmissionWithAudio && (history.HasKnocked || !view.OffersToJoin));
        // Names and the meeting's title may contain the text of a refusal. In the call, before the request to join, and in a waiting room
        // without one, only whole sentences count.
        var mayQuote = isCall || (!history.HasKnocked && (view.OffersToJoin || view.Shows(PageSign.WaitingRoom)));
        // Refusals first: the waiting room's text can remain visible after one.
        foreach (var (sign, reason) in Refusals)
        {
            if (view.Matches.FirstOrDefault(match => match.Sign == sign && !(match.IsPart && mayQuote) && !history.IsQuote(match)) is { } refusal)
                return new GiveUp(reason, $"The page shows {refusal.Entry}.");
        }

        if (history.IsElsewhere(now))
        {
            return history.HasWaitedLong(now)
                ? new GiveUp(EndReason.WaitingRoomTimeout, $"The platform stopped waiting for the host and sent the browser away: {view.Url} \"{view.Title}\".")
                : new GiveUp(EndReason.BlockedByPlatform, $"The platform sent the browser away from the meeting: {view.Url} \"{view.Title}\".");
        }

        // Signs of the call outweigh everything else, such as a banner with another join button.
        var answer = history.IsLooping ? null : history.Answers.Next(view, now);
        if (isCall)
            return answer is { IsKnown: true, Dialog.IsModal: true } ? WhenDue(answer) : new Admitted();
        if (answer is { } next && (next.IsKnown || next.Dialog.IsModal) && !MayCancel(next, view, history))
        {
            if (next.Button?.Sign is not PageSign.JoinButton || history.HasKnocked || AreDevicesOff(view, history, now))
                return WhenDue(next);
            if (NextClick(view, history, [PageSign.MicrophoneOn, PageSign.CameraOn]) is { } device && history.MayAct(device, now))
                return new Click(device);
            return WaitUnlessStuck(view, history, now);
        }

        if (history.IsDropped(now))
        {
            return history.WasReloaded
                ? new GiveUp(EndReason.BlockedByPlatform, $"The platform dropped the request to join, twice: {view.Drop?.Error}")
                : new Reload(view.Drop!.Error);
        }

        if (history.HasWaitingRoomEnded(view, now))
            return new GiveUp(EndReason.WaitingRoomTimeout, $"The platform stopped waiting for the host: {view.Url} \"{view.Title}\" shows nothing of the meeting.");

        // After the request to join, Google Meet shows a black page, for minutes.
        if ((view.Shows(PageSign.WaitingRoom) && (history.HasKnocked || !view.Shows(PageSign.JoinButton))) || (view.IsBlank && history.HasKnocked))
        {
            return history.WaitingSince is { } since && now - since >= leave.WaitingRoomTimeout
                ? new GiveUp(EndReason.WaitingRoomTimeout, $"Nobody admitted the bot within {leave.WaitingRoomTimeout.TotalSeconds:0} s.")
                : new WaitInWaitingRoom();
        }

        if (view.Find(PageSign.NameBox) is { Place.Free: true } box && !OtherRecorders.IsShortened(box.Value ?? string.Empty, botName) && !history.IsExhausted(box))
            return history.MayAct(box, now) ? new FillName(box) : new Wait();

        // The bot never joins behind a dialog, or with a microphone or camera that may be on.
        if (NextClick(view, history, BeforeJoining) is { } first)
            return history.MayAct(first, now) ? new Click(first) : new Wait();
        if (AreDevicesOff(view, history, now) && DecideToJoin(view, history, now) is { } join)
            return join;
        return WaitUnlessStuck(view, history, now);
    }

    /// <summary>
    /// The answer could withdraw the request to join. While the page asks the guest to wait, only the answers count that cannot close the
    /// dialog of the request.
    /// </summary>
    private static bool MayCancel(DialogAnswer answer, PageView view, JoinHistory history) =>
        view.Shows(PageSign.WaitingRoom) || view.Shows(PageSign.GettingReady)
            ? answer.Button?.Sign is not (PageSign.Stay or PageSign.Dialog or PageSign.JoinButton)
            : history.HasKnocked && answer.Button is { Sign: null } button && button.Name.Equals("Cancel", StringComparison.OrdinalIgnoreCase);

    private static JoinDecision WaitUnlessStuck(PageView view, JoinHistory history, DateTimeOffset now) =>
        now - history.LastProgressAt < JoinHistory.StuckTimeout
            ? new Wait()
            : new GiveUp(EndReason.JoinFailed, $"{(view.Shows(PageSign.SwitchButton) ? "The account is already in the call, in another session" : "The page was not recognized, or nothing on it worked, for 60 s")}: {view.Url} \"{view.Title}\" shows [{view.Entries}]{DialogsOf(view)}.");

    private static string DialogsOf(PageView view) => view.Dialogs.Count == 0 ? string.Empty : $" and the dialog {view.Dialogs[0]}";

    /// <summary>The next notice to dismiss in the call that is not a dialog. A join button outside a dialog leads to another room.</summary>
    public static PageMatch? NoticeIn(PageView view, JoinHistory history, DateTimeOffset now) =>
        view.IsStillCallPage && NextClick(view, history, InCall) is { } notice && history.MayAct(notice, now) ? notice : null;

    private static JoinDecision WhenDue(DialogAnswer answer) => answer.IsDue ? new AnswerDialog(answer) : new Wait();

    private static JoinDecision? DecideToJoin(PageView view, JoinHistory history, DateTimeOffset now)
    {
        if (NextClick(view, history, [PageSign.JoinButton]) is { } free)
            return history.MayAct(free, now) ? new Click(free) : new Wait();
        if (view.Find(PageSign.JoinButton) is not { Place: not null } covered)
            return DecideToSwitch(view, history, now);
        if (NextClick(view, history, [PageSign.Obstacle]) is { } obstacle)
            return history.MayAct(obstacle, now) ? new Click(obstacle) : new Wait();
        return now - history.LastProgressAt >= JoinHistory.CoveredTimeout && history.MayAct(covered, now) ? new Press(covered) : null;
    }

    /// <summary>
    /// Switching takes the call away from the account's other session, which may be a person, or another bot. A bot that rejoins takes it
    /// from its own earlier session.
    /// </summary>
    private static JoinDecision? DecideToSwitch(PageView view, JoinHistory history, DateTimeOffset now)
    {
        if (!view.Shows(PageSign.SwitchButton))
            return null;
        if (NextClick(view, history, [history.IsAgain ? PageSign.SwitchButton : PageSign.OtherWays]) is not { } click)
            return null;
        // Another click would hide the other ways again.
        if (click.Sign is PageSign.OtherWays && history.WasActedOn(click))
            return null;
        return history.MayAct(click, now) ? new Click(click) : new Wait();
    }

    private static PageMatch? NextClick(PageView view, JoinHistory history, PageSign[] signs) => signs
        .SelectMany(sign => view.Matches.Where(match => match.Sign == sign))
        .FirstOrDefault(match => match.Place is { Free: true } && !history.IsExhausted(match));

    /// <summary>
    /// The page shows microphone and camera as off. If it shows no control by <see cref="JoinHistory.DevicesTimeout"/>, there is no device.
    /// </summary>
    private static bool AreDevicesOff(PageView view, JoinHistory history, DateTimeOffset now)
    {
        var isComplete = now - history.LobbySince >= JoinHistory.DevicesTimeout;
        return IsOff(PageSign.MicrophoneOn, PageSign.MicrophoneOff) && IsOff(PageSign.CameraOn, PageSign.CameraOff);

        bool IsOff(PageSign on, PageSign off) => !view.Shows(on) && (isComplete || view.Shows(off));
    }

    private static readonly (PageSign Sign, EndReason Reason)[] Refusals =
    [
        // Before the denial: the page offers to ask again after both.
        (PageSign.NoAnswer, EndReason.WaitingRoomTimeout),
        (PageSign.Denied, EndReason.DeniedByHost),
        (PageSign.Blocked, EndReason.BlockedByPlatform),
        (PageSign.NotFound, EndReason.MeetingNotFound),
        (PageSign.LoginNeeded, EndReason.LoginRequired),
        (PageSign.Removed, EndReason.RemovedByHost),
        (PageSign.Ended, EndReason.MeetingEnded),
        (PageSign.ConnectionLost, EndReason.JoinFailed),
        (PageSign.Left, EndReason.DeniedByHost),
        (PageSign.Bounced, EndReason.BlockedByPlatform),
    ];

    private static readonly PageSign[] BeforeJoining = [PageSign.Dialog, PageSign.MicrophoneOn, PageSign.CameraOn];

    private static readonly PageSign[] InCall = [PageSign.Stay, PageSign.Dialog];
}
