using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Webhooks;

/// <summary>A webhook.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Receives the messages.</param>
/// <param name="Events">The types of events that it receives.</param>
/// <param name="Description">Its label.</param>
/// <param name="UserId">The user whose bots it follows.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="DisabledAt">Since when it is disabled, because its receiver answered 410 Gone.</param>
/// <param name="Secret">Signs the messages. Returned only when it is created or changed.</param>
/// <example>{"id": "wh_0199aaaabbbbccccddddeeeeffff0002", "url": "https://example.com/newarbots", "events": ["bot.completed", "bot.failed"], "description": "Minutes", "userId": "default", "createdAt": "2026-03-01T09:00:00Z"}</example>
internal sealed record WebhookResponse(
    string Id,
    Uri Url,
    IReadOnlyList<string> Events,
    string? Description,
    UserId UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DisabledAt,
    string? Secret)
{
    public static WebhookResponse Of(Webhook webhook) => new(
        webhook.Id, webhook.Url, webhook.Events.Count > 0 ? webhook.Events : WebhookEvent.DefaultTypes, webhook.Description, webhook.UserId,
        webhook.CreatedAt, webhook.DisabledAt, Secret: null);

    public static WebhookResponse WithSecret(Webhook webhook) => Of(webhook) with { Secret = webhook.Secret };
}

/// <summary>Webhooks.</summary>
/// <param name="Items">Oldest first.</param>
internal sealed record WebhookList(IReadOnlyList<WebhookResponse> Items);

/// <summary>A message to a webhook.</summary>
/// <param name="Id">Its id, as in the header webhook-id.</param>
/// <param name="Type">The type of event.</param>
/// <param name="Status">The state of the delivery.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="NextAttemptAt">The earliest time of the next attempt.</param>
/// <param name="Attempts">All attempts, oldest first.</param>
/// <param name="Body">The body: type, timestamp and data; for a bot's event, data is the bot at that time.</param>
/// <example>
/// {
///   "id": "msg_1772356272000_000000", "type": "bot.completed", "status": "delivered", "createdAt": "2026-03-01T09:11:12Z",
///   "attempts": [{ "at": "2026-03-01T09:11:12Z", "durationSeconds": 0.2, "httpStatus": 204 }],
///   "body": { "type": "bot.completed", "timestamp": "2026-03-01T09:11:12Z", "data": { "status": "completed" } }
/// }
/// </example>
internal sealed record DeliveryResponse(
    string Id,
    string Type,
    DeliveryStatus Status,
    DateTimeOffset CreatedAt,
    DateTimeOffset? NextAttemptAt,
    IReadOnlyList<AttemptResponse> Attempts,
    JsonElement Body)
{
    public static DeliveryResponse Of(Delivery delivery) => new(
        delivery.Id, delivery.Type, delivery.Status, delivery.CreatedAt, delivery.NextAttemptAt,
        [.. delivery.Attempts.Select(attempt => new AttemptResponse(attempt.At, attempt.DurationSeconds.ToMilliseconds(), attempt.HttpStatus, attempt.Error))],
        JsonElement.Parse(delivery.Payload));
}

/// <summary>An attempt to deliver a message.</summary>
/// <param name="At">When it began.</param>
/// <param name="DurationSeconds">Time until the response or the timeout.</param>
/// <param name="HttpStatus">The receiver's response; absent if it did not answer.</param>
/// <param name="Error">Why it failed.</param>
internal sealed record AttemptResponse(DateTimeOffset At, double DurationSeconds, [property: Range(100, 999)] int? HttpStatus, string? Error);

/// <summary>A page of messages.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="NextCursor">The cursor of the next page; absent on the last page.</param>
internal sealed record DeliveryPage(IReadOnlyList<DeliveryResponse> Items, string? NextCursor);
