namespace NewarBots.Contract;

/// <summary>The recorder process's exit codes. Others (137: killed, 139: crashed) are the system's.</summary>
public enum RecorderExitCode
{
    /// <summary>It ended as its last status message says.</summary>
    Ended = 0,

    /// <summary>An exception that nobody expected; the log has it.</summary>
    Unexpected = 1,

    /// <summary>Its environment is not one that <see cref="RecorderEnvironment"/> can read.</summary>
    InvalidEnvironment = 2,

    /// <summary>The watchdog ended a process that outlived its maximum length.</summary>
    Watchdog = 3,

    /// <summary>It ended as its last status message says, and more may have been said in the meeting: it only guesses that it is over, or did not hear it.</summary>
    EndedByGuess = 4,
}
