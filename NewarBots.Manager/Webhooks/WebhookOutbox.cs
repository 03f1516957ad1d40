using System.Text.Json;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// Creates the events that wait in the outbox. The scripts of <see cref="BotCommands"/> store an event in the same step as the bot's record, so a
/// manager that crashes cannot lose it.
/// </summary>
internal sealed class WebhookOutbox(WebhookFiles webhooks, TimeProvider time) : IBotOutbox
{
    /// <summary>Wakes the dispatcher.</summary>
    public AsyncAutoResetEvent WakeUp { get; } = new();

    public RedisValue EventOf(Bot? before, Bot after)
    {
        if (WebhookEvent.TypeOf(before, after) is not { } type)
            return RedisValue.EmptyString;
        var own = Webhook.Of(after) is { } webhook && webhook.Selects(after.UserId, type) ? webhook : null;
        return own is not null || webhooks.All.Any(other => other.Selects(after.UserId, type))
            ? JsonSerializer.Serialize(WebhookEvent.Of(after, type, time.GetUtcNow()) with { Own = own }, WebhookEvent.Stored)
            : RedisValue.EmptyString;
    }

    public void Wake(RedisValue webhookEvent)
    {
        if (!webhookEvent.IsNullOrEmpty)
            WakeUp.Raise();
    }
}
