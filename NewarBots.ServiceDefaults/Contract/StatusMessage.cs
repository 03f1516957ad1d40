using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// One word about a bot: published on <see cref="RedisNames.StatusChannel"/>, appended to <see cref="RedisNames.EventStream"/>
/// and written to the session folder's <see cref="Journal"/>, everywhere as the same JSON (<see cref="ContractJson"/>).
/// </summary>
/// <param name="SessionId">Whose word it is.</param>
/// <param name="Status">The bot's status from here on.</param>
/// <param name="Timestamp">When, in Unix milliseconds by the sender's clock.</param>
/// <param name="Sequence">Grows from message to message of one bot, not always by one. See <see cref="StatusSequence"/>.</param>
/// <param name="Reason">
/// Why the bot ends; from <see cref="BotStatus.Leaving"/> on. While it is <see cref="BotStatus.Recording"/>, a warning that
/// holds until a message without it: <see cref="EndReason.NoAudio"/>. While it is <see cref="BotStatus.Scheduled"/>, why it has to
/// wait although it is due.
/// </param>
/// <param name="Chunks">How many chunks lie on disk, the open one included.</param>
/// <param name="RecordedSeconds">Length of the time line on disk so far, silence and gaps included.</param>
/// <param name="AudibleSeconds">How much of it was not silent.</param>
/// <param name="Participants">How many others are in the call, where the page tells.</param>
/// <param name="Detail">One line for a person: what was seen, what went wrong.</param>
/// <param name="Level">How loud the last second was, in dBFS (RMS); -127 for digital silence.</param>
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
    /// <summary>
    /// Its figures are ones that can be. Who reads a message that somebody else has written asks first: a time that is no time must
    /// not stop the reader.
    /// </summary>
    [JsonIgnore]
    public bool IsPlausible =>
        Timestamp >= 0 && Timestamp <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
        && Sequence >= 0
        && double.IsFinite(RecordedSeconds ?? 0)
        && double.IsFinite(AudibleSeconds ?? 0);

    [JsonIgnore]
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Timestamp);
}

/// <summary>
/// Manager and recorder both speak of a bot, never at the same time: the manager until the container starts and again once
/// it is gone. So one sequence serves both without asking each other: the manager's first words come from below
/// <see cref="FirstOfRecorder"/>, its last ones go on from the highest that was seen.
/// </summary>
public static class StatusSequence
{
    public const long FirstOfRecorder = 100;
}
