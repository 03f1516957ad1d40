using System.Text.Json.Serialization;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Hosting;

/// <summary>The cause of a failed attempt for one bot. Everything but <see cref="Bot"/> is an outage that affects all bots.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<FailureCause>))]
internal enum FailureCause
{
    /// <summary>The bot itself may be the cause: its files, its container, or an unexpected error.</summary>
    Bot,
    Redis,
    Engine,
    FFmpeg,
    Storage,

    /// <summary>The manager's machine has no memory or open files left.</summary>
    Host,
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
    private const int NoMemory = 12;
    private const int TooManyOpenFilesOfHost = 23;
    private const int TooManyOpenFiles = 24;
    private const int NoSpaceLeft = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    /// <summary>
    /// A volume or a file server that is gone: ENODEV, ENOTCONN, ESHUTDOWN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ESTALE, EREMOTEIO.
    /// </summary>
    private static readonly int[] VolumeIsGone = [19, 107, 108, 110, 112, 113, 116, 121];

    public static FailureCause CauseOf(Exception exception) => exception switch
    {
        IExplainedFailure explained => explained.Cause,
        _ when exception.IsRedisUnavailable() => FailureCause.Redis,
        _ when exception.IsStorageFull() || exception.IsStorageReadOnly() || exception.IsStorageGone() => FailureCause.Storage,
        _ when exception.IsHostExhausted() => FailureCause.Host,
        _ => FailureCause.Bot,
    };

    /// <summary>
    /// Whether the error may be an outage of the storage although its number does not tell: a disk error or a denied access of any file. Only a
    /// check of the storage can decide.
    /// </summary>
    public static bool MayBeStorage(Exception exception) =>
        exception is (IOException or UnauthorizedAccessException) and not IExplainedFailure && CauseOf(exception) is FailureCause.Bot;

    /// <returns>One sentence without paths and commands.</returns>
    public static string Explain(Exception exception) => exception switch
    {
        IExplainedFailure explained => explained.Explanation,
        _ when exception.IsRedisUnavailable() => "Redis is unavailable.",
        RedisServerException => $"Redis refused a command: {exception.Message}",
        _ when exception.IsStorageFull() => "The storage has no free space.",
        _ when exception.IsStorageReadOnly() => "The storage is read-only.",
        _ when exception.IsStorageGone() => "The storage is unavailable.",
        _ when exception.IsHostExhausted() => "The manager's machine is short of memory or open files.",
        IOException or UnauthorizedAccessException => "A file of the bot cannot be read or written.",
        _ => "An unexpected error occurred; the manager's log has the details.",
    };

    public static bool IsStorageFull(this Exception exception) => exception is IOException { HResult: NoSpaceLeft or QuotaExceeded };

    public static bool IsStorageGone(this Exception exception) => exception is IOException && VolumeIsGone.Contains(exception.HResult);

    public static bool IsHostExhausted(this Exception exception) =>
        exception is OutOfMemoryException || (exception is IOException && IsOfHost(exception.HResult));

    /// <summary>Whether an error number means that the machine has no memory or open files left.</summary>
    public static bool IsOfHost(int error) => error is NoMemory or TooManyOpenFiles or TooManyOpenFilesOfHost;

    public static bool IsStorageReadOnly(this Exception exception) => exception is IOException { HResult: ReadOnlyFileSystem };
}

/// <summary>A program that the manager ran reports that the storage is full.</summary>
internal sealed class StorageFullException(string message) : IOException(message), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Storage;

    public string Explanation => "The storage has no free space.";
}

/// <summary>The manager's machine cannot start another process.</summary>
internal sealed class HostExhaustedException(string message, Exception inner) : IOException(message, inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Host;

    public string Explanation => "The manager's machine cannot start another process.";
}
