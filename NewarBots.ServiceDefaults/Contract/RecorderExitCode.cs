namespace NewarBots.Contract;

/// <summary>Exit codes of the recorder process. Other codes come from the system (137: killed, 139: crashed).</summary>
public enum RecorderExitCode
{
    /// <summary>The bot ended as its last status message says.</summary>
    Ended = 0,

    /// <summary>An unexpected exception, which is in the log.</summary>
    Unexpected = 1,

    /// <summary><see cref="RecorderEnvironment"/>, <see cref="RecorderAssignment"/> or a file of the session is missing or invalid.</summary>
    InvalidInput = 2,

    /// <summary>The watchdog ended a process that exceeded its maximum duration.</summary>
    Watchdog = 3,

    /// <summary>As <see cref="Ended"/>, but the meeting may have continued: its end was a guess, or audio was not captured.</summary>
    EndedByGuess = 4,
}
