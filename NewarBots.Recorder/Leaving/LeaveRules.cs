using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Leaving;

/// <summary>
/// When a bot leaves the call by itself. Each look gives new rules that remember what matters (<see cref="Observe"/>), and
/// <see cref="Decide"/> tells whether it is time.
/// </summary>
internal sealed record LeaveRules
{
    /// <summary>A page that is no call, with nothing received, is believed to be over after so long: reconnecting takes a while.</summary>
    private static readonly TimeSpan ReconnectPatience = TimeSpan.FromSeconds(60);

    /// <summary>So long after the last packet whoever sends audio is there.</summary>
    private static readonly TimeSpan ReceptionPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// What of <see cref="SpeechWindow"/> has to be audible, so that it is a person who speaks: a sentence is longer, and the chime by
    /// which recorders remind of themselves shorter.
    /// </summary>
    private static readonly TimeSpan LeastSpeech = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan SpeechWindow = TimeSpan.FromSeconds(10);

    /// <summary>A page on its way may show anything for a moment.</summary>
    private static readonly TimeSpan DoorPatience = TimeSpan.FromSeconds(5);

    public LeaveRules(LeaveConditions conditions, DateTimeOffset deadline, DateTimeOffset admittedAt)
    {
        (Conditions, Deadline) = (conditions, deadline);
        (AloneSince, InCallAt, ReceivedAt, HearsSince, At) = (admittedAt, admittedAt, admittedAt, admittedAt, admittedAt);
    }

    private LeaveConditions Conditions { get; }

    private DateTimeOffset Deadline { get; }

    private DateTimeOffset At { get; init; }

    private bool SomeoneWasThere { get; init; }

    private DateTimeOffset? AloneSince { get; init; }

    /// <summary>
    /// The page counts nobody, or no track is left. Where tracks are there and only quiet, all may have muted themselves.
    /// </summary>
    private bool IsSurelyAlone { get; init; }

    /// <summary>When the page was last seen to be the call.</summary>
    public DateTimeOffset InCallAt { get; private init; }

    /// <summary>When audio last came in.</summary>
    private DateTimeOffset ReceivedAt { get; init; }

    private long ReceivedBytes { get; init; }

    /// <summary>Since when the page shows the meeting's door and not the call.</summary>
    private DateTimeOffset? AtDoorSince { get; init; }

    /// <summary>Audio came in within the last seconds.</summary>
    private bool IsReceiving { get; init; }

    /// <summary>Since when what is recorded as silence is one; before that it may have been the recorder's own deafness.</summary>
    private DateTimeOffset HearsSince { get; init; }

    /// <summary>How long there has been nothing to hear.</summary>
    private TimeSpan Silence { get; init; }

    /// <summary>How many packets were audible at the looks of the last <see cref="SpeechWindow"/>, oldest first.</summary>
    private IReadOnlyList<(DateTimeOffset At, long AudiblePackets)> Heard { get; init; } = [];

    private PageView View { get; init; } = PageView.Nothing;

    /// <summary>The call was joined once more, by another browser: what was known of the page is not known any more.</summary>
    public LeaveRules JoinedAgain(DateTimeOffset now) => new(Conditions, Deadline, now) { SomeoneWasThere = SomeoneWasThere };

    /// <param name="view">The page.</param>
    /// <param name="progress">What is recorded.</param>
    /// <param name="isHearingInDoubt">What is recorded as silence may be none.</param>
    /// <param name="now">When.</param>
    public LeaveRules Observe(PageView view, RecordingProgress progress, bool isHearingInDoubt, DateTimeOffset now)
    {
        var receivedAt = progress.Reception.ReceivedBytes != ReceivedBytes ? now : ReceivedAt;
        var isReceiving = receivedAt > ReceivedAt || now - receivedAt < ReceptionPatience;
        var hearsSince = isHearingInDoubt ? now : HearsSince;
        IReadOnlyList<(DateTimeOffset At, long AudiblePackets)> heard =
            [.. Heard.Where(look => now - look.At <= SpeechWindow), (now, progress.AudiblePackets)];
        var isSpoken = (progress.AudiblePackets - heard[0].AudiblePackets) * TimeLinePosition.PacketLength >= LeastSpeech;
        // Where the page does not tell how many there are, whoever sends audio is there; and whoever speaks is no recorder, by whatever name.
        var someoneIsThere = view.Others is { } others
            ? others > 0 || (view.OtherRecorders > 0 && isSpoken)
            : isReceiving && progress.Reception.Tracks > 0;
        return this with
        {
            At = now,
            View = view,
            HearsSince = hearsSince,
            Silence = progress.Silence < now - hearsSince ? progress.Silence : now - hearsSince,
            IsReceiving = isReceiving,
            Heard = heard,
            ReceivedBytes = progress.Reception.ReceivedBytes,
            ReceivedAt = receivedAt,
            InCallAt = view.IsStillCallPage ? now : InCallAt,
            AtDoorSince = view.IsDoor && !IsStillCall(view, isReceiving) ? AtDoorSince ?? now : null,
            SomeoneWasThere = SomeoneWasThere || someoneIsThere,
            AloneSince = someoneIsThere ? null : AloneSince ?? now,
            IsSurelyAlone = view.Others is 0 || progress.Reception.Tracks == 0,
        };
    }

    /// <returns><see langword="null"/>: stay.</returns>
    public LeaveDecision? Decide()
    {
        if (At >= Deadline)
            return new(EndReason.MaxDuration);
        // While the call is there, such words are only words, for example in its chat.
        if (!IsStillCall(View, IsReceiving))
        {
            foreach (var (sign, reason) in Endings)
            {
                if (View.Find(sign) is { } ending)
                    return new(reason, $"The page shows {ending.Entry}.");
            }
        }

        if (At - AtDoorSince >= DoorPatience)
            return new(EndReason.BrowserCrashed, $"The page went back to the meeting's door: it shows [{View.Entries}].");
        var lastSignOfLife = InCallAt > ReceivedAt ? InCallAt : ReceivedAt;
        if (At - lastSignOfLife >= ReconnectPatience)
            return new(EndReason.MeetingEnded, $"The page is no call any more: {View.Url} \"{View.Title}\" shows [{View.Entries}].", IsGuess: true);
        if (AloneSince is { } since && !SomeoneWasThere && At - since >= Conditions.NobodyJoinedTimeout)
            return new(EndReason.NobodyJoined);
        if (AloneSince is { } left && SomeoneWasThere && At - left >= EveryoneLeftPatience)
            return new(EndReason.EveryoneLeft);
        return Conditions.SilenceTimeout is { } longest && Silence >= longest ? new(EndReason.Silence) : null;
    }

    /// <summary>Where the page does not count who is there, it is still the call while it can be left and audio comes in.</summary>
    private static bool IsStillCall(PageView view, bool isReceiving) => view.IsStillCallPage || (
        isReceiving
        && view.Shows(PageSign.LeaveButton)
        && !view.Shows(PageSign.GettingReady)
        && !view.Shows(PageSign.NameBox));

    private TimeSpan EveryoneLeftPatience => IsSurelyAlone || Conditions.EveryoneLeftTimeout > Conditions.NobodyJoinedTimeout
        ? Conditions.EveryoneLeftTimeout
        : Conditions.NobodyJoinedTimeout;

    private static readonly (PageSign Sign, EndReason Reason)[] Endings =
    [
        (PageSign.Removed, EndReason.RemovedByHost),
        (PageSign.Ended, EndReason.MeetingEnded),
        (PageSign.Denied, EndReason.RemovedByHost),
        (PageSign.Left, EndReason.MeetingEnded),
        (PageSign.Blocked, EndReason.BlockedByPlatform),
        (PageSign.LoginNeeded, EndReason.MeetingEnded),
        (PageSign.NotFound, EndReason.MeetingEnded),
    ];
}

/// <param name="Reason">The machine word.</param>
/// <param name="Detail">One line for a person.</param>
/// <param name="IsGuess">The page did not say so.</param>
internal sealed record LeaveDecision(EndReason Reason, string? Detail = null, bool IsGuess = false)
{
    /// <summary>Nothing went wrong.</summary>
    public bool IsOrdinary => !IsGuess && Reason.IsOrdinary();

    /// <summary>It is over for the bot, not only for the browser that was on its way in again.</summary>
    public bool EndsTheMeeting => Reason
        is EndReason.MeetingEnded or EndReason.RemovedByHost or EndReason.StopRequested or EndReason.MaxDuration or EndReason.BrowserCrashed;
}
