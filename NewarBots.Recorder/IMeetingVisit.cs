using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;

namespace NewarBots.Recorder;

/// <summary>One visit to the meeting: whoever makes it sees to it that the capture hook hears what is to be recorded.</summary>
internal interface IMeetingVisit
{
    /// <summary>The page, once there is one.</summary>
    MeetingPage? Page { get; }

    /// <summary>The visit came as far as the call.</summary>
    bool WasInCall { get; }

    /// <summary>When the call was last seen to be there.</summary>
    DateTimeOffset? InCallAt { get; }

    /// <param name="isAgain">The session was in the call before, in another browser.</param>
    /// <param name="deadline">When the bot has to be gone whatever happens.</param>
    /// <param name="writing">The recording's loop; when it fails, nothing more can be kept.</param>
    /// <returns>Why it is over; the page and its capture are as they are.</returns>
    Task<LeaveDecision> AttendAsync(bool isAgain, DateTimeOffset deadline, Task writing);

    /// <summary>Ends the capture; when it returns, the last packets are on their way.</summary>
    Task StopCaptureAsync();

    /// <summary>Leaves the call as a guest does, where there is one.</summary>
    Task LeaveAsync();

    ValueTask CloseAsync();
}
