using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>The course of one rehearsal; the page gets it as JSON. Times are seconds.</summary>
internal sealed record RehearsalScenario
{
    public RehearsalOpening Opens { get; init; }

    /// <summary>How the page shows its dialogs.</summary>
    public DialogKind Dialogs { get; init; }

    /// <summary>The generation of the page's structure.</summary>
    public PageStructure Structure { get; init; }

    /// <summary>The page uses typographic apostrophes: "You’ve been removed".</summary>
    public bool TypographicApostrophes { get; init; }

    public RehearsalLobby Lobby { get; init; } = new();

    public RehearsalCall Call { get; init; } = new();

    public RehearsalAudio Audio { get; init; } = new();

    public IReadOnlyList<RehearsalParticipant> Participants { get; init; } = [];
}

/// <summary>The page at the meeting's URL.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RehearsalOpening>))]
internal enum RehearsalOpening
{
    Meeting,
    NotFound,
    InvalidName,
    Expired,
    NoSuchCode,
    Blocked,
    ConnectionProblem,

    /// <summary>"You can't join this meeting".</summary>
    CannotJoinMeeting,

    /// <summary>"You aren't allowed to join this video call".</summary>
    NotAllowed,

    /// <summary>"This meeting has ended".</summary>
    MeetingEnded,

    /// <summary>"You can't rejoin this meeting".</summary>
    CannotRejoin,
    LoginRequired,

    /// <summary>The server does not respond.</summary>
    Never,

    /// <summary>An empty page.</summary>
    Blank,

    /// <summary>Redirects to itself forever.</summary>
    Redirects,

    /// <summary>Reloads forever.</summary>
    Reloads,

    /// <summary>One browser dialog after another.</summary>
    Alerts,
}

/// <summary>How a page shows its dialogs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DialogKind>))]
internal enum DialogKind
{
    /// <summary><c>role=dialog</c> with <c>aria-modal</c>, above a scrim.</summary>
    Marked,

    /// <summary>The element <c>dialog</c>.</summary>
    Native,

    /// <summary>Only a scrim and a card, without a role.</summary>
    Unmarked,

    /// <summary><c>role=dialog</c> with <c>aria-modal</c> in a corner. The page behind it can be clicked.</summary>
    Corner,
}

/// <summary>How the call's page marks its participants and controls. Google Meet has changed that several times.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PageStructure>))]
internal enum PageStructure
{
    /// <summary>
    /// Tiles have <c>data-participant-id</c> and a name with the class <c>notranslate</c>; the count is in the label of a button and in
    /// <c>data-avatar-count</c>.
    /// </summary>
    Tiles,

    /// <summary>
    /// Tiles have <c>data-requested-participant-id</c>, names have <c>data-self-name</c>, controls are <c>div[role=button]</c>, and the count
    /// is in <c>data-avatar-count</c> only.
    /// </summary>
    Requested,
}

/// <param name="Name">The name on the tile.</param>
/// <param name="Voice">The tones of the voice.</param>
/// <param name="JoinsAt">In seconds since the start of the call; 0: already present.</param>
/// <param name="LeavesAt">In seconds since the start of the call.</param>
/// <param name="Speaks">When the participant speaks; <see langword="null"/>: always.</param>
/// <param name="SpeaksEvery">The period in seconds after which <paramref name="Speaks"/> repeats.</param>
/// <param name="IsPresenting">The participant has another tile, with a presentation.</param>
internal sealed record RehearsalParticipant(
    string Name,
    TimeCodeVoice Voice,
    double JoinsAt = 0,
    double? LeavesAt = null,
    IReadOnlyList<MeetingSpan>? Speaks = null,
    int? SpeaksEvery = null,
    bool IsPresenting = false);

/// <param name="From">The first second of the meeting.</param>
/// <param name="To">The second after the last one.</param>
internal sealed record MeetingSpan(int From, int To);
