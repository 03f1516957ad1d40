using System.Text.Json;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// What happened and is still to be told: a stream into which <see cref="BotCommands"/>'s scripts put an event in the same step that
/// changes the record, so that no manager's death comes in between.
/// </summary>
internal sealed class WebhookOutbox(WebhookFiles webhooks, TimeProvider time) : IBotOutbox
{
    /// <summary>There is something to tell.</summary>
    public AsyncAutoResetEvent News { get; } = new();

    /// <returns>What is to be told of it; empty where nobody wants to know.</returns>
    public RedisValue EventOf(Bot? before, Bot after)
    {
        if (before?.Status == after.Status)
            return RedisValue.EmptyString;
        var type = WebhookEvent.TypeOf(after.Status);
        return webhooks.All.Any(webhook => webhook.Wants(after.UserId, type))
            ? JsonSerializer.Serialize(WebhookEvent.Of(after, time.GetUtcNow()), JsonSerializerOptions.Web)
            : RedisValue.EmptyString;
    }

    /// <summary>It happened.</summary>
    /// <param name="happened">What <see cref="EventOf"/> gave.</param>
    public void Wake(RedisValue happened)
    {
        if (!happened.IsNullOrEmpty)
            News.Raise();
    }
}
