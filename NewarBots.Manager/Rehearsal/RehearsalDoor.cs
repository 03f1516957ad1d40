using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>What stands between a guest and the call. All times are seconds.</summary>
internal sealed record RehearsalDoor
{
    /// <summary>How long "Getting ready…" stays.</summary>
    public double ReadyAfter { get; init; }

    /// <summary>The guest is known and is not asked for a name.</summary>
    public bool IsSignedIn { get; init; }

    /// <summary>Lie over the page, one over the other; the first one on top.</summary>
    public IReadOnlyList<DoorDialog> Dialogs { get; init; } = [];

    /// <summary>So long "Camera not found" lies over the join button, unless it is closed.</summary>
    public double? ToastFor { get; init; }

    public ToggleElement Toggles { get; init; }

    /// <summary>When the toggles of microphone and camera appear.</summary>
    public double TogglesAfter { get; init; }

    /// <summary>So many clicks until a toggle heeds one.</summary>
    public int ToggleClicks { get; init; } = 1;

    /// <summary>The words on the button that asks to be let in.</summary>
    public string JoinButton { get; init; } = "Join now";

    public WaitingText WaitingText { get; init; }

    public DoorAnswer Answer { get; init; }

    /// <summary>How long the guest waits for <see cref="Answer"/>; 0 and admitted means that there is no waiting room.</summary>
    public double AnswerAfter { get; init; }

    public DeniedText DeniedText { get; init; }
}

/// <summary>A dialog before joining, named by the control that answers it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DoorDialog>))]
internal enum DoorDialog
{
    WithoutAccount,
    WithoutDevices,
    GotIt,
}

/// <summary>What the toggles of microphone and camera are made of.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ToggleElement>))]
internal enum ToggleElement
{
    /// <summary><c>div[role=button]</c>.</summary>
    Div,
    Button,
}

/// <summary>What becomes of the guest's wish to come in.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DoorAnswer>))]
internal enum DoorAnswer
{
    Admitted,
    Denied,
    NoAnswer,

    /// <summary>The guest waits for ever.</summary>
    Never,
}

/// <summary>What the waiting room says.</summary>
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
}

/// <summary>What a guest reads who is denied.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeniedText>))]
internal enum DeniedText
{
    /// <summary>"Someone in the call denied your request to join".</summary>
    Someone,

    /// <summary>"You left the meeting".</summary>
    YouLeft,

    /// <summary>Nothing but the button "Ask to join again".</summary>
    AskAgain,
}
