using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Api.OpenApi;

namespace NewarBots.Manager.Bots;

/// <summary>A bot to send.</summary>
/// <example>{"meetingUrl": "http://localhost:8082/rehearsal/abc-defg-hij", "botName": "Notes", "leave": {"everyoneLeftTimeout": 120}, "metadata": {"case": "42"}}</example>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CreateBotBody // Only describes the JSON; CreateBotRequest reads it.
{
    /// <summary>The meeting's address, as in the invitation. Its host must be one of Meetings:AllowedHosts.</summary>
    public required Uri MeetingUrl { get; init; }

    /// <summary>The name that the bot shows in the meeting.</summary>
    [MinLength(1), MaxLength(CreateBotRequest.MaxBotNameLength), DefaultValue(CreateBotRequest.DefaultBotName)]
    public string? BotName { get; init; }

    /// <summary>The bot's user. Default: the key's user, or `default` without keys. Only an admin's key may name another user.</summary>
    public UserId? UserId { get; init; }

    /// <summary>When the bot leaves on its own.</summary>
    public LeaveConditionsBody? Leave { get; init; }

    /// <summary>Your own data, returned with the bot. Names have up to 64 characters.</summary>
    [MaxEntries(CreateBotRequest.MaxMetadataEntries, CreateBotRequest.MaxMetadataValueLength)]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether the recording is transcribed. Requires a speech server.</summary>
    public TranscriptChoiceBody? Transcript { get; init; }

    /// <summary>
    /// When the bot starts, with a time zone offset, at most 30 days ahead. A time in the past starts the bot at once; one older than
    /// leave.maxDuration is rejected.
    /// </summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>
    /// How many seconds the bot is kept after its end, with its recording and everything else. Default: as long as the manager keeps bots (Removing:KeepFor).
    /// </summary>
    [Range(60, 315_360_000)]
    public double? Retention { get; init; }

    /// <summary>Settings of the recording.</summary>
    public RecordingBody? Recording { get; init; }

    /// <summary>Receives the events of this bot only.</summary>
    public BotWebhookBody? Webhook { get; init; }
}

/// <summary>Settings of a recording.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RecordingBody
{
    /// <summary>One file for each audio track of the meeting, in addition to the mix. Default: the manager's Recording:TrackFiles.</summary>
    public bool? Tracks { get; init; }
}

/// <summary>A webhook of one bot only. The response has its secret.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record BotWebhookBody
{
    /// <summary>Receives the messages. Must be https and a public address.</summary>
    [MaxLength(CreateBotRequest.MaxWebhookUrlLength)]
    public required Uri Url { get; init; }

    /// <summary>The types of events to send; all but those of participants and speakers if absent or empty.</summary>
    public IReadOnlyList<string>? Events { get; init; }
}

/// <summary>Changes to a bot. Members that are absent or null stay as they are.</summary>
/// <example>{"botName": "Notes of Monday", "metadata": {"case": "43"}}</example>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ChangeBotBody
{
    /// <summary>Another meeting. Only for scheduled bots.</summary>
    public Uri? MeetingUrl { get; init; }

    /// <summary>As in the request that created the bot. A time in the past starts the bot at once. Only for scheduled bots.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The bot's name. The meeting shows it if the bot has not started yet.</summary>
    [MinLength(1), MaxLength(CreateBotRequest.MaxBotNameLength)]
    public string? BotName { get; init; }

    /// <summary>Replaces all leave conditions; absent ones get their defaults. Only for scheduled bots.</summary>
    public LeaveConditionsBody? Leave { get; init; }

    /// <summary>Replaces all metadata.</summary>
    [MaxEntries(CreateBotRequest.MaxMetadataEntries, CreateBotRequest.MaxMetadataValueLength)]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

/// <summary>When the bot leaves on its own. Each is a duration in seconds from the moment its condition began.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record LeaveConditionsBody
{
    private const double Longest = 86_400;

    /// <summary>Longest time in the waiting room.</summary>
    [Range(1, Longest), DefaultValue(600.0)]
    public double WaitingRoomTimeout { get; init; }

    /// <summary>Longest time alone in a call that nobody else has joined yet.</summary>
    [Range(1, Longest), DefaultValue(600.0)]
    public double NobodyJoinedTimeout { get; init; }

    /// <summary>Longest time alone after others were there.</summary>
    [Range(1, Longest), DefaultValue(60.0)]
    public double EveryoneLeftTimeout { get; init; }

    /// <summary>Longest silence; off if null or absent.</summary>
    [Range(1, Longest)]
    public double? SilenceTimeout { get; init; }

    /// <summary>Longest run of the bot.</summary>
    [Range(1, Longest), DefaultValue(14_400.0)]
    public double MaxDuration { get; init; }
}

/// <summary>The transcript of a bot's recording.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TranscriptChoiceBody
{
    /// <summary>Default: true if the operator has set Transcription:Endpoint. Without it, true is rejected.</summary>
    public bool? Enabled { get; init; }

    /// <summary>The language that is spoken, for example `en`. Default: Transcription:Language, or else the server detects it.</summary>
    [MinLength(2), MaxLength(CreateBotRequest.MaxLanguageLength)]
    public string? Language { get; init; }
}
