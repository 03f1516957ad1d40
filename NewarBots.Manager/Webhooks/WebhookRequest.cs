using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Webhooks;

/// <summary>What <c>POST /webhooks</c> takes, read and checked.</summary>
internal sealed record WebhookRequest(Uri Url, IReadOnlyList<string> Events, string? Description, UserId UserId)
{
    public const int MaxDescriptionLength = 200;

    public static WebhookRequest Read(JsonElement root, Caller caller, bool allowPrivate, FaultList faults)
    {
        string? text = null;
        string? description = null;
        IReadOnlyList<string> events = [];
        var userId = caller.UserId;
        foreach (var property in root.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "url":
                    text = RequestBody.ReadString(value, "url", faults) ?? string.Empty;
                    break;
                case "events" or "description" or "userId" when value.ValueKind is JsonValueKind.Null:
                    break;
                case "events":
                    events = ReadEvents(value, faults);
                    break;
                case "description":
                    description = RequestBody.ReadString(value, "description", faults);
                    if (description?.Length > MaxDescriptionLength)
                        faults.Add("description", $"must have at most {MaxDescriptionLength} characters");
                    break;
                case "userId":
                    userId = caller.ReadUserId(value, faults);
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        var (url, fault) = faults.ByField.ContainsKey("url") ? default : WebhookUrl.Read(text, allowPrivate);
        if (fault is not null)
            faults.Add("url", fault);
        return new(url!, events, description, userId);
    }

    private static List<string> ReadEvents(JsonElement value, FaultList faults)
    {
        var events = new List<string>();
        if (value.ValueKind is not JsonValueKind.Array)
        {
            faults.Add("events", "must be an array of event types");
            return events;
        }

        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind is JsonValueKind.String && WebhookEvent.Types.FirstOrDefault(type => item.ValueEquals(type)) is { } type)
            {
                if (!events.Contains(type))
                    events.Add(type);
                continue;
            }

            faults.Add("events", $"must be of {string.Join(", ", WebhookEvent.Types)}");
            break;
        }

        return events;
    }
}
