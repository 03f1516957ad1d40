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

    /// <summary>Pub/sub channel to the recorder, for <see cref="StopCommand"/>, <see cref="ScreenshotCommand"/> and <see cref="BotNamesCommand"/>.</summary>
    public static string CommandChannel(SessionId id) => $"bot:command:{id}";

    public const string StatusChannelPrefix = "bot:status:";

    public const string EventStreamPrefix = "bot:events:";

    public const string MessageField = "message";

    /// <summary>Tells the recorder to leave the call gracefully, like SIGTERM.</summary>
    public const string StopCommand = "stop";

    /// <summary>Tells the recorder to write a screenshot of its page to the session folder (<see cref="StorageLayout.ScreenshotName"/>).</summary>
    public const string ScreenshotCommand = "screenshot";

    /// <summary>
    /// Tells the recorder the names of all other bots in its meeting, so that it does not take them for people: followed by a JSON array of
    /// strings. Replaces the names of the last command. Sent again from time to time, because a recorder may miss it.
    /// </summary>
    public const string BotNamesCommand = "bots ";
}
