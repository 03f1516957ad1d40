using System.Text.Json.Serialization;

namespace NewarBots.Manager.Rehearsing;

/// <summary>What happens in one rehearsal. The page gets it as JSON. All times are seconds.</summary>
internal sealed record RehearsalScenario
{
    public RehearsalOpening Opens { get; init; }

    /// <summary>How long "Getting ready…" stays.</summary>
    public double ReadyAfter { get; init; }

    /// <summary>The words on the button that asks to be let in.</summary>
    public string JoinButton { get; init; } = "Join now";

    public DoorAnswer Answer { get; init; }

    /// <summary>How long the guest waits for <see cref="Answer"/>; 0 and admitted means that there is no waiting room.</summary>
    public double AnswerAfter { get; init; }

    /// <summary>Apostrophes as typographers set them: "You’ve been removed".</summary>
    public bool TypographicApostrophes { get; init; }

    public IReadOnlyList<RehearsalParticipant> Participants { get; init; } = [];

    /// <summary>When the host ends the call for all, counted from the beginning of the call.</summary>
    public double? EndAfter { get; init; }

    /// <summary>When the host removes the guest, counted from the beginning of the call.</summary>
    public double? KickAfter { get; init; }
}

/// <summary>What the address shows.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RehearsalOpening>))]
internal enum RehearsalOpening
{
    Meeting,
    NotFound,
    Blocked,
    LoginRequired,
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
    IReadOnlyList<SpeakingTime>? Speaks = null,
    int? SpeaksEvery = null);

/// <param name="From">The first second of the meeting in which it is heard.</param>
/// <param name="To">The first second behind it.</param>
internal sealed record SpeakingTime(int From, int To);
