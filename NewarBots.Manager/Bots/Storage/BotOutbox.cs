using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// The stream of events that webhooks still have to receive. The scripts append an event in the same step that changes the
/// record, so a manager that crashes cannot lose it.
/// </summary>
internal static class BotOutbox
{
    public const string Stream = "newarbots:webhooks:outbox";

    public const string Field = "event";
}

/// <summary>Decides which changes of bots become events in the <see cref="BotOutbox"/>.</summary>
internal interface IBotOutbox
{
    /// <returns>The events of this change that a webhook wants, one JSON object a line; empty if there are none.</returns>
    RedisValue EventsOf(Bot? before, Bot after);

    /// <summary>The change was stored.</summary>
    /// <param name="webhookEvents">The result of <see cref="EventsOf"/>.</param>
    void Wake(RedisValue webhookEvents);
}
