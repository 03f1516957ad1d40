using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Leaving;

/// <summary>
/// Decides when a bot leaves the call. <see cref="Observe"/> returns rules that include the latest look at the page;
/// <see cref="Decide"/> tells whether to leave.
/// </summary>
internal sealed record LeaveRules
{
    /// <summary>How long the page may show no call, without audio, before the meeting counts as ended. Covers reconnecting.</summary>
    private static readonly TimeSpan ReconnectTimeout = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The audible part of <see cref="SpeechWindow"/> that counts as a person speaking. A sentence is longer; the chime of other recorders
    /// is shorter.
    /// </summary>
    private static readonly TimeSpan MinSpeech = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan SpeechWindow = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The audible part of <see cref="SoundWindow"/> that means a person while no recorder is in the call: somebody must have made the sound,
    /// whatever the page counts.
    /// </summary>
    private static readonly TimeSpan MinSound = TimeSpan.FromSeconds(0.3);

    private static readonly TimeSpan SoundWindow = TimeSpan.FromSeconds(3);

    /// <summary>How long a count is valid after the page hid it: the toolbar hides itself and returns when the mouse moves.</summary>
    private static readonly TimeSpan CountTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long a count of nobody is in doubt after somebody was heard.</summary>
    private static readonly TimeSpan MiscountTimeout = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long the page may hide all signs of the call before its text about the end counts. The moving mouse shows a hidden toolbar earlier.
    /// </summary>
    private static readonly TimeSpan HiddenCallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long the page may show the lobby: a page that is loading may show anything for a moment.</summary>
    private static readonly TimeSpan LobbyTimeout = TimeSpan.FromSeconds(5);

    public LeaveRules(LeaveConditions conditions, DateTimeOffset deadline, DateTimeOffset admittedAt)
    {
        (Conditions, Deadline) = (conditions, deadline);
        (AloneSince, InCallAt, ReceivedAt, CapturesSince, At) = (admittedAt, admittedAt, admittedAt, admittedAt, admittedAt);
        (CallSignAt, AliveAt) = (admittedAt, admittedAt);
    }

    private LeaveConditions Conditions { get; }

    private DateTimeOffset Deadline { get; }

    private DateTimeOffset At { get; init; }

    private bool HadOthers { get; init; }

    private DateTimeOffset? AloneSince { get; init; }

    /// <summary>
    /// The page counts no other participant, or no track is left. If tracks remain and are quiet, everyone may have muted themselves.
    /// </summary>
    private bool IsCertainlyAlone { get; init; }

    /// <summary>When the page last showed the call.</summary>
    public DateTimeOffset InCallAt { get; private init; }

    /// <summary>
    /// When the page last showed the call, received audio, or had a connection that should carry some. Platforms close their connections
    /// when a call ends.
    /// </summary>
    private DateTimeOffset AliveAt { get; init; }

    /// <summary>Since when the host has kept the bot in the waiting room again.</summary>
    private DateTimeOffset? WaitingSince { get; init; }

    /// <summary>The host sent the bot back to the waiting room.</summary>
    public bool IsWaiting => WaitingSince is not null;

    /// <summary>One line for a person while the bot is in the waiting room again; <see langword="null"/> in the call.</summary>
    public string? WaitingDetail => WaitingSince is { } since
        ? $"The host sent the bot back to the waiting room. It waits to be admitted again, for up to {(Conditions.WaitingRoomTimeout - (At - since)).TotalSeconds:0} s more."
        : null;

    /// <summary>When audio was last received.</summary>
    private DateTimeOffset ReceivedAt { get; init; }

    private long ReceivedBytes { get; init; }

    /// <summary>When the network was last in doubt.</summary>
    private DateTimeOffset NetworkDoubtedAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>Since when the page has shown the lobby instead of the call.</summary>
    private DateTimeOffset? LobbySince { get; init; }

    /// <summary>Audio was received within <see cref="JoinHistory.ReceptionTimeout"/>.</summary>
    private bool IsReceiving { get; init; }

    /// <summary>Since when recorded silence is certain. Earlier silence may be lost audio.</summary>
    private DateTimeOffset CapturesSince { get; init; }

    /// <summary>How long the call has been silent.</summary>
    private TimeSpan Silence { get; init; }

    /// <summary>
    /// The number of audible packets at each look within <see cref="SpeechWindow"/> and at the one before, oldest first. On a busy machine, a window may
    /// contain no look.
    /// </summary>
    private IReadOnlyList<(DateTimeOffset At, long AudiblePackets)> AudibleLooks { get; init; } = [];

    private PageView View { get; init; } = PageView.Nothing;

    /// <summary>The latest look failed, so everything else is from an earlier one.</summary>
    private bool IsViewMissing { get; init; }

    /// <summary>How many others the page counts, without recorders; <see langword="null"/> if it shows no count.</summary>
    public int? Others { get; private init; }

    private DateTimeOffset CountedAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>Somebody can be heard although the page counts nobody else.</summary>
    public bool IsMiscounted { get; private init; }

    private DateTimeOffset MiscountedAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>When the page last showed a visible sign of the call, or audio was received.</summary>
    private DateTimeOffset CallSignAt { get; init; }

    /// <summary>The address of the call.</summary>
    private MeetingAddress Address { get; init; } = new();

    /// <summary>The rules after another browser rejoined the call. Everything observed on the old page is forgotten.</summary>
    public LeaveRules AfterRejoin(DateTimeOffset now) => new(Conditions, Deadline, now) { HadOthers = HadOthers };

    /// <summary>How many others the network may keep from being heard; <see langword="null"/> if that is unknown.</summary>
    public int? PossibleOthers(PageView view, DateTimeOffset now)
    {
        var counted = view.Others ?? Others;
        if (counted is not > 0 && view.NamedPeople > 0)
            return view.NamedPeople;
        return counted is 0 && now - MiscountedAt < MiscountTimeout ? null : counted;
    }

    /// <param name="view">The page. After a look that failed, only the maximum duration ends the call.</param>
    /// <param name="progress">The state of the recording.</param>
    /// <param name="isAudioInDoubt">Recorded silence may be lost audio.</param>
    /// <param name="now">The time of the look.</param>
    /// <param name="isNetworkInDoubt">The network may be why nobody is heard, and why the page no longer shows the call.</param>
    public LeaveRules Observe(PageView view, RecordingProgress progress, bool isAudioInDoubt, DateTimeOffset now, bool isNetworkInDoubt = false)
    {
        if (view.IsFailed)
            return this with { At = now, IsViewMissing = true };
        // A page that was loaded again counts from 0.
        var receivedAt = progress.Reception.ReceivedBytes > ReceivedBytes ? now : ReceivedAt;
        var isReceiving = receivedAt > ReceivedAt || now - receivedAt < JoinHistory.ReceptionTimeout;
        IReadOnlyList<(DateTimeOffset At, long AudiblePackets)> audibleLooks =
            [.. AudibleLooks.SkipWhile((_, i) => i + 1 < AudibleLooks.Count && now - AudibleLooks[i + 1].At >= SpeechWindow), (now, progress.AudiblePackets)];
        var (others, countedAt) = view.Others is { } counted ? (counted, now) : now - CountedAt < CountTimeout ? (Others, CountedAt) : (null, CountedAt);
        // A recorder's chime is short. Without a recorder, somebody must have made the sound.
        var isSpeaking = view.OtherRecorders > 0
            ? AudibleSince(SpeechWindow) >= MinSpeech
            : AudibleSince(SoundWindow) >= MinSound;
        // Speech means a person, whatever the page counts, and even if all names look like recorders. If the page shows neither a count nor a
        // name, received audio means one.
        var hasOthers = others > 0 || view.NamedPeople > 0 || isSpeaking || (others is null && isReceiving && progress.Reception.Tracks > 0);
        DateTimeOffset? waitingSince = view.IsWaitingRoom && !isReceiving ? WaitingSince ?? now : null;
        var capturesSince = isAudioInDoubt || waitingSince is not null ? now : CapturesSince;
        var isConnected = progress.Network.Live > 0 && now - progress.At < JoinHistory.ReceptionTimeout;
        return this with
        {
            At = now,
            IsViewMissing = false,
            WaitingSince = waitingSince,
            AliveAt = view.IsStillCallPage || isReceiving || isConnected ? now : AliveAt,
            View = view,
            CapturesSince = capturesSince,
            Silence = progress.Silence < now - capturesSince ? progress.Silence : now - capturesSince,
            IsReceiving = isReceiving,
            AudibleLooks = audibleLooks,
            ReceivedBytes = progress.Reception.ReceivedBytes,
            ReceivedAt = receivedAt,
            InCallAt = view.IsStillCallPage ? now : InCallAt,
            Others = others,
            CountedAt = countedAt,
            IsMiscounted = others is 0 && isSpeaking,
            MiscountedAt = others is 0 && isSpeaking ? now : MiscountedAt,
            CallSignAt = isReceiving || view.HasVisibleCallSign ? now : CallSignAt,
            Address = view.IsStillCallPage ? Address.At(view)
                : view.IsMeetingPage || isReceiving ? Address.Kept
                : Address.After(view, mayBeMeeting: false, now),
            LobbySince = view.IsLobby && waitingSince is null && !IsStillCall(view, isReceiving) ? LobbySince ?? now : null,
            HadOthers = HadOthers || hasOthers,
            AloneSince = hasOthers || isNetworkInDoubt || waitingSince is not null ? null : AloneSince ?? now,
            NetworkDoubtedAt = isNetworkInDoubt ? now : NetworkDoubtedAt,
            IsCertainlyAlone = others is 0 || progress.Reception.Tracks == 0,
        };

        TimeSpan AudibleSince(TimeSpan window) => TimeLinePosition.PacketLength
            * (progress.AudiblePackets - audibleLooks.TakeWhile(look => now - look.At >= window).LastOrDefault(audibleLooks[0]).AudiblePackets);
    }

    /// <returns><see langword="null"/> to stay.</returns>
    public LeaveDecision? Decide()
    {
        if (At >= Deadline)
            return new(EndReason.MaxDuration);
        if (IsViewMissing)
            return null;
        foreach (var (sign, reason, isGuess) in Endings)
        {
            if (View.Matches.FirstOrDefault(match => match.Sign == sign && IsEnding(match)) is { } ending)
                return new(reason, $"The page shows {ending.Entry}.", isGuess);
        }

        if (Address.IsLeft(At))
            return new(EndReason.RemovedByHost, $"The platform sent the browser away from the call: {View.Url} \"{View.Title}\".");
        if (At - LobbySince >= LobbyTimeout)
            return new(EndReason.BrowserCrashed, $"The page went back to the lobby: it shows [{View.Entries}].");
        if (At - WaitingSince >= Conditions.WaitingRoomTimeout)
            return new(EndReason.RemovedByHost, $"The host sent the bot back to the waiting room, and nobody admitted it within {Conditions.WaitingRoomTimeout.TotalSeconds:0} s.");
        if (IsWaiting)
            return null;
        if (At - AliveAt >= ReconnectTimeout && At - NetworkDoubtedAt >= ReconnectTimeout)
            return new(EndReason.MeetingEnded, $"The page no longer shows the call: {View.Url} \"{View.Title}\" shows [{View.Entries}].", IsGuess: true);
        if (AloneSince is { } since && !HadOthers && At - since >= Conditions.NobodyJoinedTimeout)
            return new(EndReason.NobodyJoined);
        if (AloneSince is { } left && HadOthers && At - left >= EveryoneLeftTimeout)
            return new(EndReason.EveryoneLeft);
        return Conditions.SilenceTimeout is { } timeout && Silence >= timeout ? new(EndReason.Silence) : null;
    }

    /// <summary>
    /// While the page is the call, such text may be in the chat. In a modal dialog it counts, and if the call behind it is only left over.
    /// </summary>
    private bool IsEnding(PageMatch text) =>
        !IsStillCall(View, IsReceiving)
        || (!IsReceiving && !View.Shows(PageSign.LeaveButton))
        || (text.IsInModal && (text.Sign is PageSign.Removed || !IsReceiving))
        || At - CallSignAt >= HiddenCallTimeout;

    /// <summary>If the page shows no participant count, it is still the call while it can be left and audio is received.</summary>
    private static bool IsStillCall(PageView view, bool isReceiving) => view.IsStillCallPage || (
        isReceiving
        && view.Shows(PageSign.LeaveButton)
        && view.IsCallWithAudio);

    private TimeSpan EveryoneLeftTimeout => IsCertainlyAlone || Conditions.EveryoneLeftTimeout > Conditions.NobodyJoinedTimeout
        ? Conditions.EveryoneLeftTimeout
        : Conditions.NobodyJoinedTimeout;

    /// <summary>The last ones do not say why: the bot did not leave by itself, so the platform has dropped it.</summary>
    private static readonly (PageSign Sign, EndReason Reason, bool IsGuess)[] Endings =
    [
        (PageSign.Removed, EndReason.RemovedByHost, false),
        (PageSign.ConnectionLost, EndReason.NetworkLost, false),
        (PageSign.Ended, EndReason.MeetingEnded, false),
        (PageSign.Denied, EndReason.RemovedByHost, false),
        (PageSign.Bounced, EndReason.RemovedByHost, false),
        (PageSign.Blocked, EndReason.BlockedByPlatform, false),
        (PageSign.Left, EndReason.MeetingEnded, true),
        (PageSign.LoginNeeded, EndReason.MeetingEnded, true),
        (PageSign.NotFound, EndReason.MeetingEnded, true),
    ];
}

/// <param name="Reason">Why the bot leaves.</param>
/// <param name="Detail">One line for a person.</param>
/// <param name="IsGuess">The page did not show the reason.</param>
internal sealed record LeaveDecision(EndReason Reason, string? Detail = null, bool IsGuess = false)
{
    /// <summary>The meeting's page did not open.</summary>
    public bool IsUnreachable { get; init; }

    /// <summary>Nothing went wrong.</summary>
    public bool IsOrdinary => !IsGuess && Reason.IsOrdinary();

    /// <summary>The session is over, even if the decision was made while rejoining.</summary>
    public bool EndsTheMeeting => Reason
        is EndReason.MeetingEnded or EndReason.RemovedByHost or EndReason.StopRequested or EndReason.MaxDuration or EndReason.BrowserCrashed;
}
