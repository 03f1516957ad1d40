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
                detail,
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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Status} (#{Sequence}, reason {Reason}, {RecordedSeconds} s recorded)")]
    private partial void LogReports(BotStatus status, long sequence, EndReason? reason, double? recordedSeconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "A status could not be written to the journal")]
    private partial void LogJournalFailed(Exception exception);
}
