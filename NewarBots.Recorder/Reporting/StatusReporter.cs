using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Says how the bot is: to the journal at once, to Redis by the outbox. Numbers its words from
/// <see cref="StatusSequence.FirstOfRecorder"/> on.
/// </summary>
internal sealed partial class StatusReporter(
    SessionId session,
    SessionJournal journal,
    StatusOutbox outbox,
    TimeProvider time,
    ILogger<StatusReporter> logger)
{
    /// <summary>
    /// Characters: a page says what it likes, and the manager takes no message of more than 16 KiB, in which each of these may be six bytes
    /// (<c>\uXXXX</c>).
    /// </summary>
    private const int LongestDetail = 2_000;

    private readonly Lock _gate = new();
    private long _next = StatusSequence.FirstOfRecorder;

    public void Report(
        BotStatus status,
        EndReason? reason = null,
        RecordingProgress? progress = null,
        int? participants = null,
        string? detail = null)
    {
        // One at a time, so that journal, outbox and numbers have the same order.
        lock (_gate)
        {
            var message = new StatusMessage(
                session,
                status,
                time.GetUtcNow().ToUnixTimeMilliseconds(),
                _next++,
                reason,
                progress?.Chunks,
                progress is null ? null : Math.Round(progress.RecordedSeconds, 2),
                progress is null ? null : Math.Round(progress.AudibleSeconds, 2),
                participants,
                Shortened(detail),
                progress?.Level);
            try
            {
                journal.Append(new(Status: message));
            }
            catch (IOException exception)
            {
                // A full disk must not keep the bot from telling so.
                LogJournalFailed(exception);
            }

            LogReports(message.Status, message.Sequence, message.Reason, message.RecordedSeconds);
            outbox.Add(message);
        }
    }

    private static string? Shortened(string? detail) => detail is { Length: > LongestDetail }
        // Half a character is none.
        ? $"{detail[..(char.IsHighSurrogate(detail[LongestDetail - 2]) ? LongestDetail - 2 : LongestDetail - 1)]}…"
        : detail;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Status} (#{Sequence}, reason {Reason}, {RecordedSeconds} s recorded)")]
    private partial void LogReports(BotStatus status, long sequence, EndReason? reason, double? recordedSeconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "A status could not be written to the journal")]
    private partial void LogJournalFailed(Exception exception);
}
