using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;

namespace NewarBots.Recorder;

/// <summary>One visit to the meeting. It feeds the captured audio to the <see cref="Recording.CaptureHook"/>.</summary>
internal interface IMeetingVisit
{
    /// <summary>The meeting's page; <see langword="null"/> before the browser has started.</summary>
    MeetingPage? Page { get; }

    /// <summary>The visit reached the call.</summary>
    bool WasInCall { get; }

    /// <summary>When the page last showed the call.</summary>
    DateTimeOffset? InCallAt { get; }

    /// <param name="isAgain">An earlier visit of this session was in the call.</param>
    /// <param name="deadline">When the bot must leave.</param>
    /// <param name="writing">The recording loop. The visit ends when it fails.</param>
    /// <returns>Why the visit ended. The page and its capture are left open.</returns>
    Task<LeaveDecision> AttendAsync(bool isAgain, DateTimeOffset deadline, Task writing);

    /// <summary>Stops the capture. When the task completes, the last packets have been handed over.</summary>
    Task StopCaptureAsync();

    /// <summary>Leaves the call by its leave button, if the page still shows one.</summary>
    Task LeaveAsync();

    ValueTask CloseAsync();
}
