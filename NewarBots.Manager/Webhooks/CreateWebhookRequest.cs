using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Webhooks;

/// <summary>A webhook to create.</summary>
/// <param name="Url">Receives the messages. Must be https and a public address.</param>
/// <param name="Events">The types of events to send; all but those of participants and speakers if absent or empty.</param>
/// <param name="Description">A label for lists of webhooks.</param>
/// <param name="UserId">The user whose bots it follows. Default: the key's user, or `default` without keys. Only an admin's key may name another user.</param>
/// <example>{"url": "https://example.com/newarbots", "events": ["bot.completed", "bot.failed"], "description": "Minutes"}</example>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CreateWebhookRequest(
    [property: MaxLength(CreateBotRequest.MaxWebhookUrlLength)] Uri Url,
    IReadOnlyList<string>? Events,
    [property: MaxLength(CreateWebhookRequest.MaxDescriptionLength)] string? Description,
    UserId? UserId)
{
    public const int MaxDescriptionLength = 200;

    public static CreateWebhookRequest Read(JsonElement root, Caller caller, IWebhookPolicy policy, FaultList faults)
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
                    events = RequestBody.ReadWords(value, "events", policy.EventTypes, faults);
                    break;
                case "description":
                    description = RequestBody.ReadString(value, "description", faults);
                    if (description?.Length > MaxDescriptionLength)
                        faults.Add("description", $"must have at most {MaxDescriptionLength} characters");
                    else if (description is not null && NameText.FindFault(description) is { } unreadable)
                        faults.Add("description", unreadable);
                    break;
                case "userId":
                    userId = caller.ReadUserId(value, faults);
                    break;
                default:
                    faults.Add(RequestBody.FieldName(property.Name), "is not a field of this request");
                    break;
            }
        }

        var (url, fault) = faults.ByField.ContainsKey("url") ? default : policy.Check(text);
        if (fault is not null)
            faults.Add("url", fault);
        return new(url!, events, description, userId);
    }
}
