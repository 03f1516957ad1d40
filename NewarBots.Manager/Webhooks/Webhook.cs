using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Webhooks;

/// <summary>A URL that receives the events of a user's bots. Stored as a file in the storage folder.</summary>
internal sealed record Webhook
{
    public required string Id { get; init; }

    public required UserId UserId { get; init; }

    public required Uri Url { get; init; }

    /// <summary>The types of events that it receives; if empty, all but those of participants and speakers.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    public string? Description { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Signs its messages.</summary>
    public required string Secret { get; init; }

    /// <summary>Also signs until <see cref="PreviousSecretUntil"/>, so that receivers can switch without losing messages.</summary>
    public string? PreviousSecret { get; init; }

    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>When its receiver responded with 410 Gone. From then on it gets no messages.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>The webhook of a single bot; <see langword="null"/> if it has none.</summary>
    public static Webhook? Of(Bot bot) => bot.Webhook is { } own
        ? new() { Id = BotWebhook.IdOf(bot.Id), UserId = bot.UserId, Url = own.Url, Events = own.Events, CreatedAt = bot.CreatedAt, Secret = own.Secret }
        : null;

    public bool Selects(UserId user, string type) =>
        DisabledAt is null && UserId == user && (Events.Count == 0 ? WebhookEvent.DefaultTypes : Events).Contains(type);

    /// <summary>The secrets that are valid at this time, the current one first.</summary>
    public IEnumerable<string> SecretsAt(DateTimeOffset now) =>
        PreviousSecret is { } previous && now < PreviousSecretUntil ? [Secret, previous] : [Secret];
}
