using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>The stages of a bot, in order. In JSON they are snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<BotStatus>))]
public enum BotStatus
{
    /// <summary>Accepted for later; queued once it is due.</summary>
    Scheduled,

    /// <summary>Accepted, waiting for a free slot on the host.</summary>
    Queued,

    /// <summary>Its container is being created.</summary>
    Launching,

    /// <summary>The recorder runs and opens the meeting.</summary>
    Joining,

    /// <summary>It is in the meeting's waiting room.</summary>
    Waiting,

    /// <summary>It is in the call and records audio.</summary>
    Recording,

    /// <summary>It leaves the call. From here on it has a reason.</summary>
    Leaving,

    /// <summary>The container has exited, and its chunks are assembled.</summary>
    Finalizing,

    /// <summary>Terminal: a playable recording exists, possibly a partial one.</summary>
    Completed,

    /// <summary>Terminal: no recording exists.</summary>
    Failed,

    /// <summary>Terminal: it was stopped before it was in the call, so no recording exists.</summary>
    Cancelled,
}

public static class BotStatusExtensions
{
    public static bool IsTerminal(this BotStatus status) => status is BotStatus.Completed or BotStatus.Failed or BotStatus.Cancelled;
}
