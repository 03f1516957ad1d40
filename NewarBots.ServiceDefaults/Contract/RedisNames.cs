namespace NewarBots.Contract;

/// <summary>Redis names that manager and recorder share. The manager's own keys are private to it.</summary>
public static class RedisNames
{
    /// <summary>Public pub/sub channel: each <see cref="StatusMessage"/> of the bot, as JSON, from its recorder or from a manager.</summary>
    public static string StatusChannel(SessionId id) => $"{StatusChannelPrefix}{id}";

    /// <summary>
    /// Stream of the bot's messages, for readers that missed some. Each entry has one field, <see cref="MessageField"/>. Only managers write it.
    /// </summary>
    public static string EventStream(SessionId id) => $"{EventStreamPrefix}{id}";

    /// <summary>Pub/sub channel to the recorder, for <see cref="StopCommand"/>.</summary>
    public static string CommandChannel(SessionId id) => $"bot:command:{id}";

    public const string StatusChannelPrefix = "bot:status:";

    public const string EventStreamPrefix = "bot:events:";

    public const string MessageField = "message";

    /// <summary>Tells the recorder to leave the call gracefully, like SIGTERM.</summary>
    public const string StopCommand = "stop";
}
