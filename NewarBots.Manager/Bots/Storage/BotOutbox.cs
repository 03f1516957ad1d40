using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// The stream of events that webhooks still have to receive. The store's scripts append an event in the same step that changes the
/// record, so a manager that crashes cannot lose it.
/// </summary>
internal static class BotOutbox
{
    public const string Stream = "newarbots:webhooks:outbox";

    public const string Field = "event";

    /// <summary>A line of Lua that appends the event to the stream, if there is one.</summary>
    /// <param name="key">The index of the stream among the script's keys.</param>
    /// <param name="argument">The index of the event among the script's arguments.</param>
    public static string Append(int key, int argument) =>
        $"if ARGV[{argument}] ~= '' then redis.call('XADD', KEYS[{key}], '*', '{Field}', ARGV[{argument}]) end";
}

/// <summary>Decides which changes of bots become events in the <see cref="BotOutbox"/>.</summary>
internal interface IBotOutbox
{
    /// <returns>The event of this change; empty if no webhook wants it.</returns>
    RedisValue EventOf(Bot? before, Bot after);

    /// <summary>The change was stored.</summary>
    /// <param name="happened">The result of <see cref="EventOf"/>.</param>
    void Wake(RedisValue happened);
}
