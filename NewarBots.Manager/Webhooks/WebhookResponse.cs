using System.Text.Json;
using NewarBots.Contract;

namespace NewarBots.Manager.Webhooks;

/// <summary>A webhook as the API shows it. Its secret is told when it is made, and never again.</summary>
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
        webhook.Id, webhook.Url, webhook.Events.Count > 0 ? webhook.Events : WebhookEvent.Types, webhook.Description, webhook.UserId,
        webhook.CreatedAt, webhook.DisabledAt, Secret: null);

    public static WebhookResponse WithSecret(Webhook webhook) => Of(webhook) with { Secret = webhook.Secret };
}

/// <param name="Items">Oldest first.</param>
internal sealed record WebhookList(IReadOnlyList<WebhookResponse> Items);

/// <summary>A message as the API shows it: its id is that of its header <c>webhook-id</c>, its body what is sent.</summary>
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
        [.. delivery.Attempts.Select(attempt => new AttemptResponse(attempt.At, attempt.DurationSeconds, attempt.HttpStatus, attempt.Error))],
        JsonElement.Parse(delivery.Payload));
}

/// <summary>One attempt; without a status where the receiver did not answer.</summary>
internal sealed record AttemptResponse(DateTimeOffset At, double DurationSeconds, int? HttpStatus, string? Error);

/// <param name="Items">Newest first.</param>
/// <param name="NextCursor">To be sent as <c>cursor</c> for the next page; absent on the last one.</param>
internal sealed record DeliveryPage(IReadOnlyList<DeliveryResponse> Items, string? NextCursor);
