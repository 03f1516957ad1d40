using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// A status update of a bot, as JSON (<see cref="ContractJson"/>). A recorder writes it to the session folder's <see cref="Journal"/>, then publishes
/// it on <see cref="RedisNames.StatusChannel"/>. The manager reads the journal and appends the messages to <see cref="RedisNames.EventStream"/>.
/// </summary>
/// <param name="SessionId">The bot.</param>
/// <param name="Status">The bot's new or unchanged status.</param>
/// <param name="Timestamp">Unix milliseconds by the sender's clock.</param>
/// <param name="Sequence">Increases with each message of one bot, not always by one. See <see cref="StatusSequence"/>.</param>
/// <param name="Reason">
/// The reason why the bot ends, from <see cref="BotStatus.Leaving"/> on. In <see cref="BotStatus.Recording"/> it is a warning
/// (<see cref="EndReason.NoAudio"/>) that clears with the next message without it. In <see cref="BotStatus.Scheduled"/> it is the reason why a bot
/// that is due has to wait.
/// </param>
/// <param name="Chunks">Number of chunks on disk, including the open one.</param>
/// <param name="RecordedSeconds">Length of the timeline on disk so far, including silence and gaps.</param>
/// <param name="AudibleSeconds">Seconds of it that were not silent.</param>
/// <param name="Participants">Number of other participants in the call, if the page shows it.</param>
/// <param name="Detail">One line for humans, for example what was seen or what failed.</param>
/// <param name="Level">Loudness of the last second in dBFS (RMS); -127 for digital silence.</param>
public sealed record StatusMessage(
    SessionId SessionId,
    BotStatus Status,
    long Timestamp,
    long Sequence,
    EndReason? Reason = null,
    int? Chunks = null,
    double? RecordedSeconds = null,
    double? AudibleSeconds = null,
    int? Participants = null,
    string? Detail = null,
    int? Level = null)
{
    /// <summary>Characters of a detail.</summary>
    public const int MaxDetailLength = 2_000;

    /// <summary>Far above what a recorder reports; in one day it sends a few ten thousand messages.</summary>
    private const long MaxSequence = 1_000_000_000;

    internal const int MaxParticipants = 100_000;

    private const int MaxChunks = 1_000_000;

    /// <summary>
    /// Whether all values are in range. Readers check this first, because a compromised recorder can write any message.
    /// </summary>
    [JsonIgnore]
    public bool IsPlausible =>
        Journal.IsUnixTime(Timestamp)
        && Sequence is >= 0 and <= MaxSequence
        && Chunks is null or (>= 0 and <= MaxChunks)
        && Participants is null or (>= 0 and <= MaxParticipants)
        && (RecordedSeconds is null || Journal.IsTime(RecordedSeconds.Value))
        && (AudibleSeconds is null || Journal.IsTime(AudibleSeconds.Value))
        && (Level is null || Journal.IsLevel(Level.Value))
        && Detail is null or { Length: <= MaxDetailLength };

    [JsonIgnore]
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Timestamp);
}

/// <summary>
/// Numbers the messages of manager and recorder without coordination. They never publish at the same time: the manager publishes before the
/// container starts and after it exits. Its first messages are numbered below <see cref="FirstOfRecorder"/>, its last ones continue from
/// the highest number seen.
/// </summary>
public static class StatusSequence
{
    public const long FirstOfRecorder = 100;

    /// <summary>The number of the manager's next message. Never overflows, whatever a recorder has sent.</summary>
    public static long After(long last) => last < long.MaxValue ? last + 1 : last;
}
