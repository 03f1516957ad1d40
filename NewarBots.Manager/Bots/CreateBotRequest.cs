using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Bots;

/// <summary>The validated body of <c>POST /bots</c>. <see cref="CreateBotBody"/> describes the JSON.</summary>
internal sealed record CreateBotRequest(
    Uri MeetingUrl,
    Platform Platform,
    string BotName,
    UserId UserId,
    LeaveConditions Leave,
    IReadOnlyDictionary<string, string> Metadata,
    DateTimeOffset? StartAt,
    TranscriptChoice? Transcript = null)
{
    public const int MaxWebhookUrlLength = 2048;
    public const string DefaultBotName = "NewarBots Recorder";
    public const int MaxBotNameLength = 100;
    public const int MaxMetadataEntries = 50;
    public const int MaxMetadataKeyLength = 64;
    public const int MaxMetadataValueLength = 1024;
    public const int MaxLanguageLength = 21;

    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(1);

    public static readonly TimeSpan MaxLeadTime = TimeSpan.FromDays(30);

    private static readonly TimeSpan MinRetention = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan MaxRetention = TimeSpan.FromDays(3650);

    /// <inheritdoc cref="Bot.Retention"/>
    public TimeSpan? Retention { get; init; }

    /// <inheritdoc cref="Bot.RecordTracks"/>
    public bool? RecordTracks { get; init; }

    /// <summary>URL and types of events of the bot's own webhook.</summary>
    public (Uri Url, IReadOnlyList<string> Events)? Webhook { get; init; }

    /// <inheritdoc cref="RequestBody.Read"/>
    public static (CreateBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) Read(
        ReadOnlyMemory<byte> body, MeetingUrlPolicy policy, IWebhookPolicy webhooks, Caller caller, DateTimeOffset now) =>
        RequestBody.Read(body, (root, faults) => ReadObject(root, policy, webhooks, caller, now, faults));

    /// <summary>Reads the body of <c>PATCH /bots/{id}</c>.</summary>
    public static (ChangeBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) ReadChange(
        ReadOnlyMemory<byte> body, MeetingUrlPolicy policy, DateTimeOffset now) =>
        RequestBody.Read(body, (root, faults) => ReadChange(root, policy, now, faults));

    private static CreateBotRequest ReadObject(
        JsonElement root, MeetingUrlPolicy policy, IWebhookPolicy webhooks, Caller caller, DateTimeOffset now, FaultList faults)
    {
        string? meetingUrl = null;
        var botName = DefaultBotName;
        var userId = caller.UserId;
        var leave = new LeaveConditions();
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
        DateTimeOffset? startAt = null;
        TimeSpan? retention = null;
        bool? tracks = null;
        (Uri Url, IReadOnlyList<string> Events)? webhook = null;
        TranscriptChoice? transcript = null;
        foreach (var property in root.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "meetingUrl":
                    meetingUrl = RequestBody.ReadString(value, "meetingUrl", faults) ?? string.Empty;
                    break;
                case "botName" when value.ValueKind is not JsonValueKind.Null:
                    botName = ReadBotName(value, faults);
                    break;
                case "userId" when value.ValueKind is not JsonValueKind.Null:
                    userId = caller.ReadUserId(value, faults);
                    break;
                case "leave" when value.ValueKind is not JsonValueKind.Null:
                    leave = ReadLeave(value, faults);
                    break;
                case "metadata" when value.ValueKind is not JsonValueKind.Null:
                    metadata = ReadMetadata(value, faults);
                    break;
                case "startAt" when value.ValueKind is not JsonValueKind.Null:
                    startAt = ReadStartAt(value, now, faults);
                    break;
                case "retention" when value.ValueKind is not JsonValueKind.Null:
                    retention = ReadSeconds(value, "retention", MinRetention, MaxRetention, faults);
                    break;
                case "recording" when value.ValueKind is not JsonValueKind.Null:
                    tracks = ReadTracks(value, faults);
                    break;
                case "webhook" when value.ValueKind is not JsonValueKind.Null:
                    webhook = ReadWebhook(value, webhooks, faults);
                    break;
                case "transcript" when value.ValueKind is not JsonValueKind.Null:
                    transcript = TranscriptChoice.Read(value, faults);
                    break;
                case "botName" or "userId" or "leave" or "metadata" or "startAt" or "retention" or "recording" or "webhook" or "transcript":
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        var (url, platform) = ReadMeetingUrl(meetingUrl, policy, faults);
        return new CreateBotRequest(url!, platform, botName, userId, leave, metadata, startAt, transcript)
        {
            Retention = retention,
            RecordTracks = tracks,
            Webhook = webhook,
        };
    }

    private static ChangeBotRequest ReadChange(JsonElement root, MeetingUrlPolicy policy, DateTimeOffset now, FaultList faults)
    {
        var change = new ChangeBotRequest();
        foreach (var property in root.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "meetingUrl" or "startAt" or "botName" or "leave" or "metadata" when value.ValueKind is JsonValueKind.Null:
                    break;
                case "meetingUrl":
                    var (url, platform) = ReadMeetingUrl(RequestBody.ReadString(value, "meetingUrl", faults), policy, faults);
                    change = change with { MeetingUrl = url, Platform = platform };
                    break;
                case "startAt":
                    change = change with { StartAt = ReadStartAt(value, now, faults) };
                    break;
                case "botName":
                    change = change with { BotName = ReadBotName(value, faults) };
                    break;
                case "leave":
                    change = change with { Leave = ReadLeave(value, faults) };
                    break;
                case "metadata":
                    change = change with { Metadata = ReadMetadata(value, faults) };
                    break;
                case "userId":
                    faults.Add(property.Name, "cannot be changed; stop the bot and send another one");
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        return change;
    }

    private static (Uri? Url, Platform Platform) ReadMeetingUrl(string? text, MeetingUrlPolicy policy, FaultList faults)
    {
        var (url, platform, fault) = faults.ByField.ContainsKey("meetingUrl") ? default : policy.Check(text);
        if (fault is not null)
            faults.Add("meetingUrl", fault);
        return (url, platform);
    }

    /// <summary>Times without an offset are rejected, because their time zone is unknown.</summary>
    private static DateTimeOffset? ReadStartAt(JsonElement value, DateTimeOffset now, FaultList faults)
    {
        if (RequestBody.ReadString(value, "startAt", faults) is null)
            return null;
        if (!value.TryGetDateTimeOffset(out var at) || !value.TryGetDateTime(out var time) || time.Kind is DateTimeKind.Unspecified)
            faults.Add("startAt", "must be a time with an offset (ISO 8601), for example 2026-03-01T09:00:00+01:00");
        else if (at > now + MaxLeadTime)
            faults.Add("startAt", $"must be at most {MaxLeadTime.TotalDays} days ahead");
        return at.ToUniversalTime();
    }

    private static string ReadBotName(JsonElement value, FaultList faults)
    {
        var name = RequestBody.ReadString(value, "botName", faults)?.Trim();
        if (name is null)
            return DefaultBotName;
        if (name.Length is 0 or > MaxBotNameLength)
            faults.Add("botName", $"must have 1 to {MaxBotNameLength} characters");
        if (NameText.FindFault(name) is { } fault)
            faults.Add("botName", fault);
        return name;
    }

    private static LeaveConditions ReadLeave(JsonElement value, FaultList faults)
    {
        var leave = new LeaveConditions();
        if (value.ValueKind is not JsonValueKind.Object)
        {
            faults.Add("leave", "must be an object of durations in seconds");
            return leave;
        }

        foreach (var property in value.EnumerateObject())
        {
            var field = $"leave.{RequestBody.FieldName(property.Name)}";
            leave = property.Name switch
            {
                "waitingRoomTimeout" => leave with { WaitingRoomTimeout = Seconds(property.Value, field) },
                "nobodyJoinedTimeout" => leave with { NobodyJoinedTimeout = Seconds(property.Value, field) },
                "everyoneLeftTimeout" => leave with { EveryoneLeftTimeout = Seconds(property.Value, field) },
                "silenceTimeout" when property.Value.ValueKind is JsonValueKind.Null => leave with { SilenceTimeout = null },
                "silenceTimeout" => leave with { SilenceTimeout = Seconds(property.Value, field) },
                "maxDuration" => leave with { MaxDuration = Seconds(property.Value, field) },
                _ => Unknown(field),
            };
        }

        return leave;

        TimeSpan Seconds(JsonElement number, string field) => ReadSeconds(number, field, TimeSpan.FromSeconds(1), MaxDuration, faults);

        LeaveConditions Unknown(string field)
        {
            faults.Add(field, "is not a leave condition");
            return leave;
        }
    }

    private static TimeSpan ReadSeconds(JsonElement number, string field, TimeSpan least, TimeSpan most, FaultList faults)
    {
        if (number.ValueKind is JsonValueKind.Number && number.TryGetDouble(out var seconds) && seconds >= least.TotalSeconds && seconds <= most.TotalSeconds)
            return TimeSpan.FromSeconds(seconds);
        faults.Add(field, $"must be a number of seconds from {least.TotalSeconds:0} to {most.TotalSeconds:0}");
        return least;
    }

    private static bool? ReadTracks(JsonElement value, FaultList faults)
    {
        if (value.ValueKind is not JsonValueKind.Object)
        {
            faults.Add("recording", "must be an object");
            return null;
        }

        bool? tracks = null;
        foreach (var property in value.EnumerateObject())
        {
            if (property.Name is not "tracks")
                faults.Add($"recording.{RequestBody.FieldName(property.Name)}", "is not a field of this request");
            else if (property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
                tracks = property.Value.GetBoolean();
            else if (property.Value.ValueKind is not JsonValueKind.Null)
                faults.Add("recording.tracks", "must be true or false");
        }

        return tracks;
    }

    private static (Uri Url, IReadOnlyList<string> Events)? ReadWebhook(JsonElement value, IWebhookPolicy policy, FaultList faults)
    {
        if (value.ValueKind is not JsonValueKind.Object)
        {
            faults.Add("webhook", "must be an object with a url");
            return null;
        }

        string? text = null;
        IReadOnlyList<string> events = [];
        foreach (var property in value.EnumerateObject())
        {
            switch (property.Name)
            {
                case "url":
                    text = RequestBody.ReadString(property.Value, "webhook.url", faults) ?? string.Empty;
                    break;
                case "events" when property.Value.ValueKind is JsonValueKind.Null:
                    break;
                case "events":
                    events = RequestBody.ReadWords(property.Value, "webhook.events", policy.EventTypes, faults);
                    break;
                default:
                    faults.Add($"webhook.{RequestBody.FieldName(property.Name)}", "is not a field of this request");
                    break;
            }
        }

        var (url, fault) = faults.ByField.ContainsKey("webhook.url") ? default : policy.Check(text);
        if (fault is not null)
            faults.Add("webhook.url", fault);
        return url is null ? null : (url, events);
    }

    private static Dictionary<string, string> ReadMetadata(JsonElement value, FaultList faults)
    {
        var metadata = new Dictionary<string, string>();
        if (value.ValueKind is not JsonValueKind.Object)
        {
            faults.Add("metadata", "must be an object of strings");
            return metadata;
        }

        foreach (var property in value.EnumerateObject())
        {
            var field = $"metadata.{RequestBody.FieldName(property.Name)}";
            if (property.Name.Length is 0 or > MaxMetadataKeyLength)
                faults.Add(field, $"must have a name of 1 to {MaxMetadataKeyLength} characters");
            else if (NameText.FindFault(property.Name) is { } fault)
                faults.Add(field, $"{fault} in its name");
            if (RequestBody.ReadString(property.Value, field, faults) is not { } text)
                continue;
            if (text.Length > MaxMetadataValueLength)
                faults.Add(field, $"must have at most {MaxMetadataValueLength} characters");
            metadata[property.Name] = text;
        }

        if (metadata.Count > MaxMetadataEntries)
            faults.Add("metadata", $"must have at most {MaxMetadataEntries} entries");
        return metadata;
    }
}

/// <summary>Changes to a bot. Members that are <see langword="null"/> stay as they are.</summary>
internal sealed record ChangeBotRequest
{
    public Uri? MeetingUrl { get; init; }

    /// <summary>The platform of <see cref="MeetingUrl"/>.</summary>
    public Platform Platform { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public string? BotName { get; init; }

    public LeaveConditions? Leave { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether only a scheduled bot can be changed in this way.</summary>
    public bool IsOfScheduledBots => MeetingUrl is not null || StartAt is not null || Leave is not null;
}
