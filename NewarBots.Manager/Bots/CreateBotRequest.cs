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
    public const string DefaultBotName = "NewarBots Recorder";
    public const int MaxBotNameLength = 100;
    public const int MaxMetadataEntries = 50;
    public const int MaxMetadataKeyLength = 64;
    public const int MaxMetadataValueLength = 1024;
    public const int MaxLanguageLength = 21;

    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(1);

    public static readonly TimeSpan MaxLeadTime = TimeSpan.FromDays(30);

    /// <inheritdoc cref="RequestBody.Read"/>
    public static (CreateBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) Read(
        ReadOnlyMemory<byte> body, MeetingUrlPolicy policy, Caller caller, DateTimeOffset now) =>
        RequestBody.Read(body, (root, faults) => ReadObject(root, policy, caller, now, faults));

    /// <summary>Reads the body of <c>PATCH /bots/{id}</c>.</summary>
    public static (ChangeBotRequest? Request, IReadOnlyDictionary<string, string[]> Faults) ReadChange(ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        RequestBody.Read(body, (root, faults) => ReadChange(root, now, faults));

    private static CreateBotRequest ReadObject(JsonElement root, MeetingUrlPolicy policy, Caller caller, DateTimeOffset now, FaultList faults)
    {
        string? meetingUrl = null;
        var botName = DefaultBotName;
        var userId = caller.UserId;
        var leave = new LeaveConditions();
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
        DateTimeOffset? startAt = null;
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
                case "transcript" when value.ValueKind is not JsonValueKind.Null:
                    transcript = TranscriptChoice.Read(value, faults);
                    break;
                case "botName" or "userId" or "leave" or "metadata" or "startAt" or "transcript":
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        var (url, platform, fault) = faults.ByField.ContainsKey("meetingUrl") ? default : policy.Check(meetingUrl);
        if (fault is not null)
            faults.Add("meetingUrl", fault);
        return new CreateBotRequest(url!, platform, botName, userId, leave, metadata, startAt, transcript);
    }

    private static ChangeBotRequest ReadChange(JsonElement root, DateTimeOffset now, FaultList faults)
    {
        var change = new ChangeBotRequest();
        foreach (var property in root.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "startAt" or "botName" or "leave" or "metadata" when value.ValueKind is JsonValueKind.Null:
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
                case "meetingUrl" or "userId":
                    faults.Add(property.Name, "cannot be changed; stop the bot and send another one");
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        return change;
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

        TimeSpan Seconds(JsonElement number, string field)
        {
            if (number.ValueKind is JsonValueKind.Number
                && number.TryGetDouble(out var seconds)
                && seconds >= 1 && seconds <= MaxDuration.TotalSeconds)
                return TimeSpan.FromSeconds(seconds);
            faults.Add(field, $"must be a number of seconds from 1 to {MaxDuration.TotalSeconds:0}");
            return TimeSpan.FromSeconds(1);
        }

        LeaveConditions Unknown(string field)
        {
            faults.Add(field, "is not a leave condition");
            return leave;
        }
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

/// <summary>Changes to a scheduled bot. Members that are <see langword="null"/> stay as they are.</summary>
internal sealed record ChangeBotRequest
{
    public DateTimeOffset? StartAt { get; init; }

    public string? BotName { get; init; }

    public LeaveConditions? Leave { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
