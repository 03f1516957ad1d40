using System.Text.Encodings.Web;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Webhooks;

/// <summary>An event that waits in the outbox.</summary>
/// <param name="UserId">The bot's user.</param>
/// <param name="Type">One of <see cref="Types"/>, or <see cref="Test"/>.</param>
/// <param name="Payload">The message's body. Each attempt sends the same bytes.</param>
internal sealed record WebhookEvent(UserId UserId, string Type, string Payload)
{
    /// <summary>The bot's own webhook, if it receives this event.</summary>
    public Webhook? Own { get; init; }

    /// <summary>Sent only by the test endpoint.</summary>
    public const string Test = "webhook.test";

    /// <summary>The same options as the API.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>For messages in Redis. Other encoders need six bytes for each quotation mark of the payload.</summary>
    public static JsonSerializerOptions Stored { get; } = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One type per status, for example <c>bot.recording</c>, and those of transcripts and people.</summary>
    public static IReadOnlyList<string> Types { get; } =
        [.. Enum.GetValues<BotStatus>().Select(TypeOf), TranscriptEvents.Completed, TranscriptEvents.Failed, .. PeopleEvents.Types];

    /// <summary>The types that a webhook gets if it names none. Those of people are frequent, and their data is no bot.</summary>
    public static IReadOnlyList<string> DefaultTypes { get; } = [.. Types.Except(PeopleEvents.Types)];

    /// <summary>The bot's status has changed.</summary>
    public static WebhookEvent Of(Bot bot, DateTimeOffset now) => Make(bot.UserId, TypeOf(bot.Status), BotResponse.Of(bot), now);

    /// <returns>The types of a change's events. An event itself is made only for webhooks that want it.</returns>
    public static IEnumerable<(string Type, Func<WebhookEvent> Make)> Between(Bot? before, Bot after, DateTimeOffset now)
    {
        foreach (var (type, person) in PeopleEvents.Between(after.Id, before?.People ?? CallPeople.None, after.People))
            yield return (type, () => Make(after.UserId, type, person, now));
        var ofBot = before?.Status != after.Status ? TypeOf(after.Status)
            : before.Transcript?.Status != after.Transcript?.Status ? TranscriptEvents.TypeOf(after.Transcript)
            : null;
        if (ofBot is not null)
            yield return (ofBot, () => Make(after.UserId, ofBot, BotResponse.Of(after), now));
    }

    public static WebhookEvent ForTest(Webhook webhook, DateTimeOffset now) =>
        Make(webhook.UserId, Test, new { webhookId = webhook.Id }, now);

    public static string TypeOf(BotStatus status) => $"bot.{WireWord.Of(status)}";

    private static WebhookEvent Make(UserId user, string type, object data, DateTimeOffset now) =>
        new(user, type, JsonSerializer.Serialize(new { type, timestamp = now.UtcDateTime, data }, Json));
}
