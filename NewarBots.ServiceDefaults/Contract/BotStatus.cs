using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>Where a bot is in its life; the order is the order of the life. On the wire in snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<BotStatus>))]
public enum BotStatus
{
    /// <summary>Accepted for later; it is queued once it is due.</summary>
    Scheduled,

    /// <summary>Accepted, waits for a place on the host.</summary>
    Queued,

    /// <summary>Its container is being made.</summary>
    Launching,

    /// <summary>The recorder runs and goes to the meeting.</summary>
    Joining,

    /// <summary>It sits in the meeting's waiting room.</summary>
    Waiting,

    /// <summary>It is in the call and audio is being kept.</summary>
    Recording,

    /// <summary>It leaves the call; the reason is known from here on.</summary>
    Leaving,

    /// <summary>The recorder is gone; its chunks are put together.</summary>
    Finalizing,

    /// <summary>Terminal: a playable recording exists, perhaps a partial one.</summary>
    Completed,

    /// <summary>Terminal: there is no recording.</summary>
    Failed,
}

public static class BotStatusExtensions
{
    public static bool IsTerminal(this BotStatus status) => status is BotStatus.Completed or BotStatus.Failed;
}
