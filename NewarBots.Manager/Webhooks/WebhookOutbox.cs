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

    public RedisValue EventsOf(Bot? before, Bot after)
    {
        var own = Webhook.Of(after);
        var now = time.GetUtcNow();
        return string.Join('\n',
            from change in WebhookEvent.Between(before, after, now)
            let forOwn = own?.Selects(after.UserId, change.Type) is true ? own : null
            where forOwn is not null || webhooks.All.Any(other => other.Selects(after.UserId, change.Type))
            select JsonSerializer.Serialize(change.Make() with { Own = forOwn }, WebhookEvent.Stored));
    }

    public void Wake(RedisValue webhookEvents)
    {
        if (!webhookEvents.IsNullOrEmpty)
            WakeUp.Raise();
    }
}
