using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>The steps before the call: the join page and the waiting room. Times are seconds.</summary>
internal sealed record RehearsalLobby
{
    /// <summary>How long "Getting ready…" is shown.</summary>
    public double ReadyAfter { get; init; }

    /// <summary>The guest is signed in and is not asked for a name.</summary>
    public bool IsSignedIn { get; init; }

    /// <summary>Dialogs over the join page, the first one on top.</summary>
    public IReadOnlyList<LobbyDialog> Dialogs { get; init; } = [];

    /// <summary>How long "Camera not found" covers the join button, unless it is closed.</summary>
    public double? ToastFor { get; init; }

    public ToggleElement Toggles { get; init; }

    /// <summary>When the microphone and camera toggles appear.</summary>
    public double TogglesAfter { get; init; }

    /// <summary>A toggle reacts to every n-th click only.</summary>
    public int ToggleClicks { get; init; } = 1;

    /// <summary>The label of the join button.</summary>
    public string JoinButton { get; init; } = "Join now";

    public WaitingText WaitingText { get; init; }

    /// <summary>The answer to the guest's request to join.</summary>
    public HostAnswer Answer { get; init; }

    /// <summary>How long the guest waits for <see cref="Answer"/>; 0 with <see cref="HostAnswer.Admitted"/>: no waiting room.</summary>
    public double AnswerAfter { get; init; }

    public DeniedText DeniedText { get; init; }

    /// <summary>All labels are German, except for a leave button.</summary>
    public bool IsGerman { get; init; }

    /// <summary>The dialog that opens over the join page when the guest clicks the join button. The page stays behind it.</summary>
    public LobbyGate? Gate { get; init; }

    /// <summary>How long the page is black after the guest asked to join.</summary>
    public double BlackFor { get; init; }
}

/// <summary>A dialog before joining, named after the button that answers it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LobbyDialog>))]
internal enum LobbyDialog
{
    WithoutAccount,
    WithoutDevices,
    GotIt,
}

/// <summary>The element of the microphone and camera toggles.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ToggleElement>))]
internal enum ToggleElement
{
    /// <summary><c>div[role=button]</c>.</summary>
    Div,
    Button,
}

[JsonConverter(typeof(JsonStringEnumConverter<HostAnswer>))]
internal enum HostAnswer
{
    Admitted,
    Denied,

    /// <summary>The page says that no one responded.</summary>
    NoAnswer,

    /// <summary>The browser is sent to another page than the meeting.</summary>
    SentAway,

    /// <summary>The guest waits forever.</summary>
    Never,
}

/// <summary>The waiting room's text.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WaitingText>))]
internal enum WaitingText
{
    /// <summary>"Asking to be let in", and more.</summary>
    Asking,

    /// <summary>"You'll join the call when someone lets you in".</summary>
    SomeoneLetsYouIn,

    /// <summary>"Please wait until a meeting host brings you into the call".</summary>
    HostBringsYou,

    /// <summary>"Please wait until a meeting host admits you to the call".</summary>
    HostAdmitsYou,

    /// <summary>"Waiting for the host to join".</summary>
    ForTheHost,

    /// <summary>A text that no selector pack has.</summary>
    Unknown,
}

/// <summary>A dialog with another "Join now" over the join page.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LobbyGate>))]
internal enum LobbyGate
{
    /// <summary>"This call is being recorded".</summary>
    Recording,

    /// <summary>"Your call audio and video will be shared with …".</summary>
    Share,
}

/// <summary>The page's text after a denied request to join.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeniedText>))]
internal enum DeniedText
{
    /// <summary>"Someone in the call denied your request to join".</summary>
    Someone,

    /// <summary>"You left the meeting".</summary>
    YouLeft,

    /// <summary>Only the button "Ask to join again".</summary>
    AskAgain,
}
