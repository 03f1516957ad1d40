using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>
/// The record of one bot, as stored in Redis. It changes only by the functions of <see cref="BotLifecycle"/>.
/// </summary>
internal sealed record Bot
{
    public required SessionId Id { get; init; }

    public required UserId UserId { get; init; }

    public required BotStatus Status { get; init; }

    public EndReason? Reason { get; init; }

    public required Uri MeetingUrl { get; init; }

    public required Platform Platform { get; init; }

    /// <summary>The name that the meeting shows.</summary>
    public required string BotName { get; init; }

    /// <summary>The name that a user gave the bot after its launch had begun. Recorders and other bots keep using <see cref="BotName"/>.</summary>
    public string? RenamedTo { get; init; }

    public required LeaveConditions Leave { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>How long the bot is kept after its end; <see langword="null"/>: as long as the manager keeps bots.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>One file for each audio track in addition to the mix; <see langword="null"/>: as the manager is configured.</summary>
    public bool? RecordTracks { get; init; }

    /// <summary>Receives the events of this bot only.</summary>
    public BotWebhook? Webhook { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The scheduled start; <see langword="null"/>: as soon as possible.</summary>
    public DateTimeOffset? StartAt { get; init; }

    public DateTimeOffset? JoiningAt { get; init; }

    public DateTimeOffset? RecordingAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Chunks on disk, including the open one; once the bot has ended, the chunks in the recording.</summary>
    public int Chunks { get; init; }

    public double RecordedSeconds { get; init; }

    public double? AudibleSeconds { get; init; }

    public int? Participants { get; init; }

    /// <summary>Participants who spoke, in the order of their first words.</summary>
    public IReadOnlyList<Speaker> Speakers { get; init; } = [];

    /// <summary>The people in the call, and those who speak.</summary>
    public CallPeople People { get; init; } = CallPeople.None;

    /// <summary>The level of its latest second, in dBFS.</summary>
    public int? Level { get; init; }

    /// <summary>
    /// A problem while the recording continues, until a status of the recorder comes without it; or the reason why a due bot has not
    /// started yet.
    /// </summary>
    public BotWarning? Warning { get; init; }

    /// <summary>The latest warning of the recorder. Stays after the warning has cleared.</summary>
    public BotWarning? LastWarning { get; init; }

    public RecordingInfo? Recording { get; init; }

    /// <summary>Set if a finished recording is to be transcribed.</summary>
    public TranscriptWish? TranscriptWish { get; init; }

    /// <summary>The transcript of the recording; <see langword="null"/> if none was requested.</summary>
    public BotTranscript? Transcript { get; init; }

    /// <summary>The latest <see cref="StatusMessage.Detail"/> of the recorder.</summary>
    public string? Detail { get; init; }

    /// <summary>The error as one line for a person.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// Failed attempts to end this bot, whose recorder has exited; or an ended bot that a user asked to finalize again. <see langword="null"/> otherwise.
    /// </summary>
    public FailedEnd? FailedEnd { get; init; }

    /// <summary>Reason and error of a bot that ended with <see cref="Contract.EndReason.FinalizationFailed"/>, as they were before.</summary>
    public RecorderEnd? RecorderEnd { get; init; }

    /// <summary>A stop was requested; stays set in every later status.</summary>
    public bool StopRequested { get; init; }

    /// <summary>When its container was started.</summary>
    public DateTimeOffset? LaunchedAt { get; init; }

    /// <summary>
    /// How long its container ran, as the engine says. Limits what the recorder can have recorded. <see langword="null"/> until it has exited, and
    /// if the engine cannot tell.
    /// </summary>
    public TimeSpan? RanFor { get; init; }

    /// <summary>The recorder gave an ordinary reason and exited cleanly, so no audio after the last chunk is missing.</summary>
    public bool EndedCleanly { get; init; }

    /// <summary>
    /// How often a manager has begun to finalize the bot. A fencing token: only the latest attempt may write the result.
    /// </summary>
    [JsonPropertyName("endsBegun")]
    public int FinalizationAttempt { get; init; }

    /// <summary>The highest <see cref="StatusMessage.Sequence"/> received from this bot.</summary>
    public long LastSequence { get; init; }

    /// <summary>How far the recorder's journal has been read.</summary>
    public JournalPosition Journal { get; init; } = new();

    /// <summary>
    /// W3C trace context of the request that created the bot or, for a scheduled bot, of its start. Later spans join that trace.
    /// </summary>
    public string? TraceParent { get; init; }

    /// <summary>When the bot begins to wait for a container.</summary>
    [JsonIgnore]
    public DateTimeOffset DueAt => StartAt > CreatedAt ? StartAt.Value : CreatedAt;

    /// <summary>The bot waits for its container, or that container is being created.</summary>
    [JsonIgnore]
    public bool AwaitsContainer => Status is BotStatus.Scheduled or BotStatus.Queued or BotStatus.Launching && LaunchedAt is null;

    /// <summary>
    /// The bot may be in its meeting, so it occupies the meeting and a place in its user's quota. A bot whose end has failed is no longer in
    /// the meeting, and must not block another one while it is retried.
    /// </summary>
    [JsonIgnore]
    public bool OccupiesMeeting => Status is not BotStatus.Scheduled && !Status.IsTerminal() && FailedEnd is null;

    /// <summary>When the bot is deleted. <see langword="null"/> until it has ended, and if it has no retention of its own.</summary>
    [JsonIgnore]
    public DateTimeOffset? ExpiresAt => Status.IsTerminal() ? EndedAt + Retention : null;

    /// <summary>Whether a user may ask for another attempt to finalize this ended bot.</summary>
    [JsonIgnore]
    public bool CanBeFinalizedAgain => Status is BotStatus.Failed && Reason is EndReason.FinalizationFailed;

    /// <summary>The name that users see.</summary>
    [JsonIgnore]
    public string ShownName => RenamedTo ?? BotName;

    [JsonIgnore]
    public string ContainerName => RecorderContainerName.Of(Id);

    /// <summary>Even a punctual start would have reached <c>maxDuration</c> by now, so a recording would be of another meeting.</summary>
    public bool IsTooLate(DateTimeOffset now) => StartAt + Leave.MaxDuration <= now;
}

/// <param name="Url">Receives the messages.</param>
/// <param name="Events">The types of events; all but those of participants and speakers if empty.</param>
/// <param name="Secret">Signs the messages.</param>
internal sealed record BotWebhook(Uri Url, IReadOnlyList<string> Events, string Secret)
{
    public const string IdPrefix = "wh_";

    /// <summary>The id of the webhook. No other webhook has it, because no two ids of <see cref="SessionId.New"/> are equal.</summary>
    public static string IdOf(SessionId bot) => IdPrefix + bot;
}

/// <summary>How far a recorder's journal has been read, and what of it is on the bot's event stream.</summary>
/// <param name="Offset">In bytes: the beginning of the first line that was not read.</param>
/// <param name="EventBytes">Bytes of JSON that were appended to the stream.</param>
/// <param name="ProgressAt">Unix milliseconds: the time of the last progress that was appended.</param>
/// <param name="Restarts">How often the journal was shorter than before, and was read again from its beginning.</param>
internal sealed record JournalPosition(long Offset = 0, int EventBytes = 0, long ProgressAt = 0, int Restarts = 0);

/// <param name="Reason">The machine-readable reason.</param>
/// <param name="Text">The same as one line for a person.</param>
internal sealed record BotWarning(EndReason Reason, string? Text);

/// <summary>Failed attempts to end a bot. In its record, so that a manager that restarts continues to count.</summary>
/// <param name="Attempts">All failed attempts.</param>
/// <param name="Counted">Those that the bot itself may have caused: not an outage of Redis, the engine, FFmpeg or the storage.</param>
/// <param name="Since">The first failure.</param>
/// <param name="Error">The latest error as one line for a person.</param>
internal sealed record FailedEnd(int Attempts, int Counted, DateTimeOffset Since, string? Error)
{
    /// <summary>The cause of the latest failure. <see langword="null"/> in records of earlier versions.</summary>
    public FailureCause? Cause { get; init; }

    /// <summary>A user asked for these attempts after the bot had ended.</summary>
    public bool IsRequested { get; init; }
}

/// <inheritdoc cref="Bot.RecorderEnd"/>
internal sealed record RecorderEnd(EndReason? Reason, string? Error);

/// <summary>The kind of meeting page.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<Platform>))]
internal enum Platform
{
    GoogleMeet,
    Rehearsal,
}

/// <summary>The finished recording.</summary>
/// <param name="Format">Container and codec in one word: <c>ogg</c>.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="DurationSeconds">Its length, as decoded.</param>
/// <param name="Complete"><see langword="false"/> if a listener misses something: more than 1 s in total, 0.5 s at once, the start or the end.</param>
internal sealed record RecordingInfo(string Format, long Bytes, double DurationSeconds, bool Complete)
{
    /// <summary>Length of all gaps. <see langword="null"/> in records of earlier versions.</summary>
    public double? MissingSeconds { get; init; }

    /// <summary>Set if the bot did not hear part of the call.</summary>
    public RecordingWarning? Warning { get; init; }
}

/// <summary>A problem that the bot had while it recorded.</summary>
/// <param name="Reason">The machine-readable reason, <c>no_audio</c>.</param>
/// <param name="Text">The same as one line for a person, with the seconds that are missing.</param>
internal sealed record RecordingWarning(EndReason Reason, string Text);

internal static class RecorderContainerName
{
    public static string Of(SessionId id) => $"newar-bot-{id}";
}
