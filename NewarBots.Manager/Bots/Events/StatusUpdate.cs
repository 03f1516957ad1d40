using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Bots.Events;

/// <summary>A status message as clients get it, with the names of the bot.</summary>
/// <param name="Id">The bot's id.</param>
/// <param name="Status">The bot's new or unchanged status.</param>
/// <param name="At">When it was sent.</param>
/// <param name="Sequence">Increases with each message of one bot, not always by one.</param>
/// <param name="Reason">Why the bot ends or ended. While it records, a warning; while it is scheduled and due, why it has to wait.</param>
/// <param name="Chunks">Number of audio chunks on disk.</param>
/// <param name="RecordedSeconds">Length of the audio recorded so far.</param>
/// <param name="AudibleSeconds">Length of the recorded audio that is not silent.</param>
/// <param name="Participants">Number of other participants in the call, if the page shows it.</param>
/// <param name="Detail">One line for humans.</param>
/// <param name="Level">Loudness of the last second in dBFS; -127 for digital silence.</param>
/// <param name="SessionId">Deprecated: the same as `id`.</param>
/// <param name="Timestamp">Deprecated: the same as `at`, in Unix milliseconds.</param>
internal sealed record StatusUpdate(
    SessionId Id,
    BotStatus Status,
    DateTimeOffset At,
    long Sequence,
    EndReason? Reason,
    int? Chunks,
    double? RecordedSeconds,
    double? AudibleSeconds,
    int? Participants,
    string? Detail,
    int? Level,
    SessionId SessionId,
    long Timestamp)
{
    public static StatusUpdate Of(StatusMessage message) => new(
        message.SessionId, message.Status, message.At, message.Sequence, message.Reason, message.Chunks, message.RecordedSeconds.ToMilliseconds(),
        message.AudibleSeconds.ToMilliseconds(), message.Participants, message.Detail, message.Level, message.SessionId, message.Timestamp);
}
