using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Decides which messages of a recorder are appended to the bot's event stream, so that the stream stays below 1 MB in Redis whatever the recorder
/// writes. The bot's record follows every message. A bot of 24 hours that behaves has events until its end.
/// </summary>
internal static class EventBudget
{
    /// <summary>Bytes of JSON for everything but a next status. With the overhead of a stream, less than 1 MB in Redis.</summary>
    public const int MaxBytes = 576 * 1024;

    /// <summary>Bytes from which progress is appended less often.</summary>
    private const int FrequentProgressBytes = 192 * 1024;

    /// <summary>Bytes from which no progress is appended, so that a warning or a detail still is.</summary>
    private const int MaxProgressBytes = 448 * 1024;

    /// <summary>Each time that so many more bytes are used, the least time between two progress messages doubles.</summary>
    private const int DoublingBytes = 64 * 1024;

    /// <summary>Bytes of an entry beside its JSON.</summary>
    private const int EntryBytes = 48;

    private static readonly TimeSpan FirstInterval = TimeSpan.FromMinutes(1);

    /// <param name="before">The record before the message.</param>
    /// <param name="after">The record after it.</param>
    /// <param name="at">When the message was sent, in Unix milliseconds.</param>
    /// <param name="bytes">Length of the message.</param>
    /// <returns>The position with what the message takes; <see langword="null"/> if it is not appended.</returns>
    public static JournalPosition? Take(Bot before, Bot after, long at, int bytes)
    {
        var position = before.Journal;
        // At most four, because a status never goes back.
        var isNextStatus = after.Status > before.Status;
        var isProgress = !isNextStatus && after.Warning == before.Warning && after.Detail == before.Detail && after.Reason == before.Reason;
        var used = (long)position.EventBytes + bytes + EntryBytes;
        if (!isNextStatus && used > (isProgress ? MaxProgressBytes : MaxBytes))
            return null;
        if (isProgress && position.EventBytes > FrequentProgressBytes && at - position.ProgressAt < Interval(position.EventBytes).TotalMilliseconds)
            return null;
        return position with { EventBytes = (int)Math.Min(used, int.MaxValue), ProgressAt = isProgress ? at : position.ProgressAt };
    }

    private static TimeSpan Interval(int used) => FirstInterval * (1 << (used - FrequentProgressBytes) / DoublingBytes);
}
