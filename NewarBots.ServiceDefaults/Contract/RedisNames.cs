namespace NewarBots.Contract;

/// <summary>Every Redis name that manager and recorder share. The manager's own keys are its own (<c>BotStore</c>).</summary>
public static class RedisNames
{
    /// <summary>Pub/sub: each <see cref="StatusMessage"/> of the bot, as JSON. The public promise.</summary>
    public static string StatusChannel(SessionId id) => $"{StatusChannelPrefix}{id}";

    /// <summary>Stream: the same messages, to be read again by whoever was away. Each entry has one field, <see cref="MessageField"/>.</summary>
    public static string EventStream(SessionId id) => $"{EventStreamPrefix}{id}";

    /// <summary>Pub/sub, to the recorder: <see cref="StopCommand"/>.</summary>
    public static string CommandChannel(SessionId id) => $"bot:command:{id}";

    public const string StatusChannelPrefix = "bot:status:";

    public const string EventStreamPrefix = "bot:events:";

    public const string MessageField = "message";

    /// <summary>Leave the call gracefully; SIGTERM means the same.</summary>
    public const string StopCommand = "stop";
}
