using System.Globalization;
using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// A visit without browser and meeting, for rehearsals of many bots at once: to everybody around it the recorder does what it
/// always does. Of the meeting's URL it heeds two queries of the rehearsal, in seconds: <c>admitAfter</c> and <c>duration</c>.
/// </summary>
internal sealed class GeneratedVisit(
    RecorderEnvironment environment, CaptureHook hook, SessionRecording recording, StatusReporter reporter, StopSignal stop, TimeProvider time)
    : IMeetingVisit
{
    private static readonly TimeSpan BatchInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private GeneratedAudio? _audio;

    public MeetingPage? Page => null;

    public bool WasInCall => _audio is not null;

    public DateTimeOffset? InCallAt => WasInCall ? time.GetUtcNow() : null;

    public async Task<LeaveDecision> AttendAsync(bool isAgain, DateTimeOffset deadline, Task writing)
    {
        if (Seconds("admitAfter") is { } waiting)
        {
            reporter.Report(BotStatus.Waiting);
            await stop.DelayAsync(waiting);
        }

        if (stop.IsRequested)
            return new(EndReason.StopRequested);

        var begins = time.GetUtcNow();
        var ends = begins + Seconds("duration");
        _audio = new(begins);
        reporter.Report(BotStatus.Recording, progress: recording.Progress);
        var (reportedAt, reportedChunks) = (begins, 0);
        while (true)
        {
            await stop.DelayAsync(BatchInterval);
            if (stop.IsRequested)
                return new(EndReason.StopRequested);
            HandOver();
            if (writing.Exception?.InnerException is { } failure)
                return new(EndReason.StorageFailed, failure.Message);

            var now = time.GetUtcNow();
            if (now >= ends)
                return new(EndReason.MeetingEnded);
            if (now >= deadline)
                return new(EndReason.MaxDuration);
            var progress = recording.Progress;
            if (now - reportedAt >= HeartbeatInterval || progress.Chunks != reportedChunks)
            {
                (reportedAt, reportedChunks) = (now, progress.Chunks);
                reporter.Report(BotStatus.Recording, progress: progress, participants: 1);
            }
        }
    }

    public Task StopCaptureAsync()
    {
        HandOver();
        return Task.CompletedTask;
    }

    public Task LeaveAsync() => Task.CompletedTask;

    public ValueTask CloseAsync() => ValueTask.CompletedTask;

    /// <summary>A stop is seen to by another thread, while this visit may be in the middle of a batch.</summary>
    private void HandOver()
    {
        lock (_gate)
        {
            if (_audio?.Take(time.GetUtcNow()) is { } message)
                hook.Hear(message);
        }
    }

    private TimeSpan? Seconds(string query)
    {
        foreach (var part in environment.MeetingUrl.Query.TrimStart('?').Split('&'))
        {
            if (part.StartsWith($"{query}=", StringComparison.Ordinal)
                && double.TryParse(part.AsSpan(query.Length + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
                && seconds > 0)
                return TimeSpan.FromSeconds(seconds);
        }

        return null;
    }
}
