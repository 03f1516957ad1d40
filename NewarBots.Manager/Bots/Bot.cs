using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>
/// The record of one bot, as it lies in the bot store. It changes only by the functions of
/// <see cref="BotLifecycle"/>.
/// </summary>
internal sealed record Bot
{
    public required SessionId Id { get; init; }

    public required UserId UserId { get; init; }

    public required BotStatus Status { get; init; }

    public EndReason? Reason { get; init; }

    public required Uri MeetingUrl { get; init; }

    public required Platform Platform { get; init; }

    public required string BotName { get; init; }

    public required LeaveConditions Leave { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is to start; <see langword="null"/>: as soon as possible.</summary>
    public DateTimeOffset? StartAt { get; init; }

    public DateTimeOffset? JoiningAt { get; init; }

    public DateTimeOffset? RecordingAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Chunks on disk so far, the open one included; afterwards those in the recording.</summary>
    public int Chunks { get; init; }

    public double RecordedSeconds { get; init; }

    public double? AudibleSeconds { get; init; }

    public int? Participants { get; init; }

    /// <summary>How loud its last second was, in dBFS.</summary>
    public int? Level { get; init; }

    /// <summary>
    /// What is wrong while it records on, gone with the recorder's next word that does not repeat it; or why it has not started yet
    /// although it is due.
    /// </summary>
    public BotWarning? Warning { get; init; }

    public RecordingInfo? Recording { get; init; }

    /// <summary>The latest <see cref="StatusMessage.Detail"/>: what the recorder saw.</summary>
    public string? Detail { get; init; }

    /// <summary>One line for a person about what went wrong.</summary>
    public string? Error { get; init; }

    /// <summary>Somebody asked for it to leave; holds in every state until it has ended.</summary>
    public bool StopRequested { get; init; }

    /// <summary>Its container was made and started; from then on only its end brings the bot forward.</summary>
    public DateTimeOffset? LaunchedAt { get; init; }

    /// <summary>The recorder gave an ordinary reason and exited by itself: nothing behind the last chunk is missing.</summary>
    public bool EndedCleanly { get; init; }

    /// <summary>
    /// How often a manager has begun to take it to its end; the fencing token of that: only who began last may say how it ended.
    /// </summary>
    public int EndsBegun { get; init; }

    /// <summary>The highest <see cref="StatusMessage.Sequence"/> seen of this bot.</summary>
    public long LastSequence { get; init; }

    /// <summary>The id of the last entry of the bot's event stream that was read; the next read goes on behind it.</summary>
    public string LastEventId { get; init; } = "0-0";

    /// <summary>
    /// W3C trace context of the request that made the bot, or, of a scheduled one, of its start: everything it does later joins that trace.
    /// </summary>
    public string? TraceParent { get; init; }

    /// <summary>From when on it waits for a container.</summary>
    [JsonIgnore]
    public DateTimeOffset DueAt => StartAt > CreatedAt ? StartAt.Value : CreatedAt;

    /// <summary>It waits for its container, or is just being given one.</summary>
    [JsonIgnore]
    public bool AwaitsContainer => Status is BotStatus.Scheduled or BotStatus.Queued or BotStatus.Launching && LaunchedAt is null;

    [JsonIgnore]
    public string ContainerName => RecorderContainerName.Of(Id);

    /// <summary>Had it started in time, it would have had to leave by now: whatever is there to be recorded is another meeting.</summary>
    public bool IsTooLate(DateTimeOffset now) => StartAt + Leave.MaxDuration <= now;
}

/// <param name="Reason">The machine word.</param>
/// <param name="Text">One line for a person.</param>
internal sealed record BotWarning(EndReason Reason, string? Text);

/// <summary>What kind of page the meeting is.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<Platform>))]
internal enum Platform
{
    GoogleMeet,
    Rehearsal,
}

/// <summary>The finished file.</summary>
/// <param name="Format">Container and codec in one word: <c>ogg</c>.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="DurationSeconds">Its length, as decoded.</param>
/// <param name="Complete">
/// <see langword="false"/> where the recorder did not end by its own will, or where the time line has gaps or damaged chunks.
/// </param>
internal sealed record RecordingInfo(string Format, long Bytes, double DurationSeconds, bool Complete);
