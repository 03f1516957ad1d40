using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>The course of one rehearsal; the page gets it as JSON. Times are seconds.</summary>
internal sealed record RehearsalScenario
{
    public RehearsalOpening Opens { get; init; }

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

/// <param name="Name">The name on the tile.</param>
/// <param name="Voice">The tones of the voice.</param>
/// <param name="JoinsAt">In seconds since the start of the call; 0: already present.</param>
/// <param name="LeavesAt">In seconds since the start of the call.</param>
/// <param name="Speaks">When the participant speaks; <see langword="null"/>: always.</param>
/// <param name="SpeaksEvery">The period in seconds after which <paramref name="Speaks"/> repeats.</param>
internal sealed record RehearsalParticipant(
    string Name,
    TimeCodeVoice Voice,
    double JoinsAt = 0,
    double? LeavesAt = null,
    IReadOnlyList<MeetingSpan>? Speaks = null,
    int? SpeaksEvery = null);

/// <param name="From">The first second of the meeting.</param>
/// <param name="To">The second after the last one.</param>
internal sealed record MeetingSpan(int From, int To);
