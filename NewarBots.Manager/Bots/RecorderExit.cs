namespace NewarBots.Manager.Bots;

/// <summary>How a recorder's process ended.</summary>
/// <param name="ExitCode">The process's exit code; 137 for SIGKILL.</param>
/// <param name="OutOfMemory">The engine's own flag.</param>
/// <param name="FinishedAt">By the engine's clock.</param>
internal sealed record RecorderExit(long ExitCode, bool OutOfMemory, DateTimeOffset FinishedAt);
