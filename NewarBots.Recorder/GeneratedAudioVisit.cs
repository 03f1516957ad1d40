using System.Globalization;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder;

/// <summary>
/// A visit with generated audio instead of a browser and a meeting, for load tests with many bots. It honours two query parameters of
/// the rehearsal's URL, both in seconds: <c>admitAfter</c> and <c>duration</c>.
/// </summary>
internal sealed class GeneratedAudioVisit(
    RecorderAssignment assignment, CaptureHook hook, SessionRecording recording, StatusReporter reporter, StopSignal stop, TimeProvider time)
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
        if (QuerySeconds("admitAfter") is { } waiting)
        {
            reporter.Report(BotStatus.Waiting);
            await stop.DelayAsync(waiting);
        }

        if (stop.IsRequested)
            return new(EndReason.StopRequested);

        var startedAt = time.GetUtcNow();
        var endsAt = startedAt + QuerySeconds("duration");
        _audio = new(startedAt);
        reporter.Report(BotStatus.Recording, figures: recording.Progress.Figures);
        var (reportedAt, reportedChunks) = (startedAt, 0);
        while (true)
        {
            await stop.DelayAsync(BatchInterval);
            if (stop.IsRequested)
                return new(EndReason.StopRequested);
            HandOver();
            if (writing.Exception?.InnerException is { } failure)
                return new(EndReason.StorageFailed, failure.Message);

            var now = time.GetUtcNow();
            if (now >= endsAt)
                return new(EndReason.MeetingEnded);
            if (now >= deadline)
                return new(EndReason.MaxDuration);
            var progress = recording.Progress;
            if (now - reportedAt >= HeartbeatInterval || progress.Chunks != reportedChunks)
            {
                (reportedAt, reportedChunks) = (now, progress.Chunks);
                reporter.Report(BotStatus.Recording, figures: progress.Figures, participants: 1);
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

    /// <summary>Locked: after a stop request, another thread stops the capture while this visit may be producing a batch.</summary>
    private void HandOver()
    {
        lock (_gate)
        {
            if (_audio?.Take(time.GetUtcNow()) is { } message)
                hook.Add(message);
        }
    }

    private TimeSpan? QuerySeconds(string name)
    {
        foreach (var part in assignment.MeetingUrl.Query.TrimStart('?').Split('&'))
        {
            if (part.StartsWith($"{name}=", StringComparison.Ordinal)
                && double.TryParse(part.AsSpan(name.Length + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
                && seconds > 0)
                return TimeSpan.FromSeconds(seconds);
        }

        return null;
    }
}
