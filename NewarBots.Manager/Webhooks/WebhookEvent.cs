using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Webhooks;

/// <summary>What happened, as it waits to be told.</summary>
/// <param name="UserId">Whose bot it was.</param>
/// <param name="Type">As in <see cref="Types"/>.</param>
/// <param name="Payload">The message's body, which never changes from now on: each attempt sends the same bytes.</param>
internal sealed record WebhookEvent(UserId UserId, string Type, string Payload)
{
    /// <summary>To try a webhook; nothing else makes it.</summary>
    public const string Test = "webhook.test";

    /// <summary>As the API writes JSON.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Each status that a bot can come to is an event: <c>bot.recording</c>.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. Enum.GetValues<BotStatus>().Select(TypeOf)];

    /// <summary>A bot has come to another status.</summary>
    public static WebhookEvent Of(Bot bot, DateTimeOffset now) => Make(bot.UserId, TypeOf(bot.Status), BotResponse.Of(bot), now);

    public static WebhookEvent ToTry(Webhook webhook, DateTimeOffset now) =>
        Make(webhook.UserId, Test, new { webhookId = webhook.Id }, now);

    public static string TypeOf(BotStatus status) => $"bot.{WireWord.Of(status)}";

    private static WebhookEvent Make(UserId user, string type, object data, DateTimeOffset now) =>
        new(user, type, JsonSerializer.Serialize(new { type, timestamp = now.UtcDateTime, data }, Json));
}
