using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>What happens in one rehearsal. The page gets it as JSON. All times are seconds.</summary>
internal sealed record RehearsalScenario
{
    public RehearsalOpening Opens { get; init; }

    /// <summary>Apostrophes as typographers set them: "You’ve been removed".</summary>
    public bool TypographicApostrophes { get; init; }

    public RehearsalDoor Door { get; init; } = new();

    public RehearsalCall Call { get; init; } = new();

    public RehearsalAudio Audio { get; init; } = new();

    public IReadOnlyList<RehearsalParticipant> Participants { get; init; } = [];
}

/// <summary>What the address shows.</summary>
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

    /// <summary>Never answers.</summary>
    Never,

    /// <summary>A page with nothing on it.</summary>
    Blank,

    /// <summary>Redirects to itself for ever.</summary>
    Redirects,

    /// <summary>Loads itself anew for ever.</summary>
    Reloads,

    /// <summary>One dialog of the browser after the other.</summary>
    Alerts,
}

/// <param name="Name">As the tile shows it.</param>
/// <param name="Voice">The tones.</param>
/// <param name="JoinsAt">Counted from the beginning of the call; 0: is there already.</param>
/// <param name="LeavesAt">Counted from the beginning of the call.</param>
/// <param name="Speaks">When this voice is heard; <see langword="null"/>: always.</param>
/// <param name="SpeaksEvery"><paramref name="Speaks"/> comes again after so many seconds.</param>
internal sealed record RehearsalParticipant(
    string Name,
    TimeCodeVoice Voice,
    double JoinsAt = 0,
    double? LeavesAt = null,
    IReadOnlyList<MeetingSpan>? Speaks = null,
    int? SpeaksEvery = null);

/// <param name="From">The first second of the meeting.</param>
/// <param name="To">The first second behind it.</param>
internal sealed record MeetingSpan(int From, int To);
