using Microsoft.Extensions.Logging;
using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Reports the bot's status: first to the journal, which the manager reads, then to Redis through the outbox. Sequence numbers start at
/// <see cref="StatusSequence.FirstOfRecorder"/>.
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
    private (BotStatus Status, EndReason? Reason)? _logged;
    private StatusMessage? _latest;

    public void Report(
        BotStatus status,
        EndReason? reason = null,
        RecordingFigures? figures = null,
        int? participants = null,
        string? detail = null)
    {
        // Locked, so that journal, outbox and sequence numbers have the same order.
        lock (_gate)
        {
            var message = new StatusMessage(
                session,
                status,
                time.GetUtcNow().ToUnixTimeMilliseconds(),
                _next++,
                reason,
                figures?.Chunks,
                figures is null ? null : Math.Round(figures.RecordedSeconds, 2),
                figures is null ? null : Math.Round(figures.AudibleSeconds, 2),
                participants,
                Truncate(DisplayText.Clean(detail)),
                figures?.Level);
            journal.TryAppend(new(Status: message));
            Log(message);
            outbox.Add(message);
            _latest = message;
        }
    }

    /// <summary>Publishes the latest message once more, so that managers read the journal's new lines at once.</summary>
    public void Repeat()
    {
        lock (_gate)
        {
            if (_latest is { } latest)
                outbox.Repeat(latest);
        }
    }

    /// <summary>Logs changes. The status is also reported every few seconds to show progress.</summary>
    private void Log(StatusMessage message)
    {
        var level = (message.Status, message.Reason) == _logged ? LogLevel.Debug : LogLevel.Information;
        _logged = (message.Status, message.Reason);
        if (message.Reason is { } reason)
            LogReason(level, message.Status, reason, message.RecordedSeconds ?? 0);
        else
            LogReported(level, message.Status, message.RecordedSeconds ?? 0);
    }

    private static string? Truncate(string? detail) => detail is { Length: > StatusMessage.MaxDetailLength }
        // A surrogate pair is never cut in half.
        ? $"{detail[..(char.IsHighSurrogate(detail[StatusMessage.MaxDetailLength - 2]) ? StatusMessage.MaxDetailLength - 2 : StatusMessage.MaxDetailLength - 1)]}…"
        : detail;

    [LoggerMessage(Message = "Status {Status}, {RecordedSeconds} s recorded")]
    private partial void LogReported(LogLevel level, BotStatus status, double recordedSeconds);

    [LoggerMessage(Message = "Status {Status} ({Reason}), {RecordedSeconds} s recorded")]
    private partial void LogReason(LogLevel level, BotStatus status, EndReason reason, double recordedSeconds);
}

/// <summary>How far the recording is, as reported with a status.</summary>
/// <param name="Chunks">Chunk files, including the open one.</param>
/// <param name="RecordedSeconds">Length of the recording.</param>
/// <param name="AudibleSeconds">Length of its parts that are not silent.</param>
/// <param name="Level">Loudness of the last second in dBFS.</param>
internal sealed record RecordingFigures(int Chunks, double RecordedSeconds, double AudibleSeconds, int Level);
