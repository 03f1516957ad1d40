using StackExchange.Redis;

namespace NewarBots.Manager.Hosting;

/// <summary>The cause of a failed attempt for one bot. Everything but <see cref="Bot"/> is an outage that affects all bots.</summary>
internal enum FailureCause
{
    /// <summary>The bot itself may be the cause: its files, its container, or an unexpected error.</summary>
    Bot,
    Redis,
    Engine,
    FFmpeg,
    Storage,
}

/// <summary>An exception that says what it means to a person who must not see paths and commands. Its message is for the log.</summary>
internal interface IExplainedFailure
{
    FailureCause Cause { get; }

    /// <summary>One sentence.</summary>
    string Explanation { get; }
}

internal static class Failures
{
    /// <summary>Linux error numbers, which .NET passes on as <see cref="Exception.HResult"/>.</summary>
    private const int NoSpaceLeft = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    public static FailureCause CauseOf(Exception exception) => exception switch
    {
        IExplainedFailure explained => explained.Cause,
        _ when exception.IsRedisUnavailable() => FailureCause.Redis,
        _ when exception.IsStorageFull() || exception.IsStorageReadOnly() => FailureCause.Storage,
        _ => FailureCause.Bot,
    };

    /// <returns>One sentence without paths and commands.</returns>
    public static string Explain(Exception exception) => exception switch
    {
        IExplainedFailure explained => explained.Explanation,
        _ when exception.IsRedisUnavailable() => "Redis is unavailable.",
        RedisServerException => $"Redis refused a command: {exception.Message}",
        _ when exception.IsStorageFull() => "The storage has no free space.",
        _ when exception.IsStorageReadOnly() => "The storage is read-only.",
        IOException or UnauthorizedAccessException => "A file of the bot cannot be read or written.",
        _ => "An unexpected error occurred; the manager's log has the details.",
    };

    public static bool IsStorageFull(this Exception exception) => exception is IOException { HResult: NoSpaceLeft or QuotaExceeded };

    public static bool IsStorageReadOnly(this Exception exception) => exception is IOException { HResult: ReadOnlyFileSystem };
}

/// <summary>A program that the manager ran reports that the storage is full.</summary>
internal sealed class StorageFullException(string message) : IOException(message), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Storage;

    public string Explanation => "The storage has no free space.";
}
