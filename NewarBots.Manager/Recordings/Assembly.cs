using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>The manager's request to the process that reads and assembles a session's files (<see cref="AssembleCommand"/>).</summary>
internal sealed record AssemblyRequest
{
    /// <summary>The session's id.</summary>
    public required string Session { get; init; }

    /// <summary>Assembles the mix only, and does not verify it: the chunks are copies from a session that still records.</summary>
    public bool IsPart { get; init; }

    public required RecordingBudget Budget { get; init; }

    /// <summary>The limits under which it runs.</summary>
    public required ProcessLimits Limits { get; init; }

    /// <summary>The files that an earlier attempt could not decode (<see cref="Doubts"/>).</summary>
    public IReadOnlyList<string> Suspects { get; init; } = [];

    public required FinalizingOptions Options { get; init; }
}

/// <summary>Its answer. FFmpeg runs under the same user, so the manager checks it.</summary>
internal sealed record AssemblyResult
{
    /// <summary>The mix; <see langword="null"/> if there is no audio.</summary>
    public AssembledAudio? Mix { get; init; }

    public IReadOnlyList<AssembledTrack> Tracks { get; init; } = [];

    public IReadOnlyList<ManifestSpeaker> Speakers { get; init; } = [];

    public IReadOnlyList<Disagreement> Disagreements { get; init; } = [];

    /// <summary>Other entries of the session folder.</summary>
    public IReadOnlyList<IgnoredFile> Others { get; init; } = [];

    /// <summary><see langword="null"/> if it succeeded.</summary>
    public AssemblyFailure? Failure { get; init; }

    /// <summary>Warnings for the manager's log.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public IReadOnlyList<AssemblyStep> Steps { get; init; } = [];
}

internal sealed record AssemblyFailure(AssemblyFailureKind Kind, string Message)
{
    /// <summary>Characters of a message, with FFmpeg's last output and its command.</summary>
    public const int MaxMessage = 50_000;

    /// <summary>The limit, for <see cref="AssemblyFailureKind.OverBudget"/>.</summary>
    public string Limit { get; init; } = "";

    /// <summary>The files, for <see cref="AssemblyFailureKind.InDoubt"/>.</summary>
    public IReadOnlyList<string> Suspects { get; init; } = [];

    public static AssemblyFailure Of(Exception exception)
    {
        var failure = OfKind(exception);
        return failure.Message.Length <= MaxMessage ? failure : failure with { Message = failure.Message[..MaxMessage] };
    }

    /// <returns>The exception of the same kind.</returns>
    public Exception ToException() => Kind switch
    {
        AssemblyFailureKind.OverBudget => new FinalizationBudgetException(Limit, Message),
        AssemblyFailureKind.StorageFull => new StorageFullException(Message),
        AssemblyFailureKind.FFmpegMissing => new FFmpegMissingException(Message),
        AssemblyFailureKind.FFmpegHung => new FFmpegUnfinishedException(Message, hung: true),
        AssemblyFailureKind.FFmpegKilled => new FFmpegUnfinishedException(Message, hung: false),
        AssemblyFailureKind.NoResult => new NoAssemblyResultException(Message),
        AssemblyFailureKind.InDoubt => new SecondOpinionException(Message, Suspects),
        AssemblyFailureKind.BadAudio => new BadAudioException(Message),
        AssemblyFailureKind.Inaccessible => new InaccessibleChunksException(Message),
        AssemblyFailureKind.CannotBeAssembled => new FinalizationException(Message),
        AssemblyFailureKind.DiskError => new IOException(Message),
        _ => new UnexpectedAssemblyException(Message),
    };

    private static AssemblyFailure OfKind(Exception exception) => exception switch
    {
        FinalizationBudgetException budget => new(AssemblyFailureKind.OverBudget, budget.Message) { Limit = budget.Limit },
        _ when exception is StorageFullException || exception.IsStorageFull() => new(AssemblyFailureKind.StorageFull, exception.Message),
        FFmpegMissingException => new(AssemblyFailureKind.FFmpegMissing, exception.Message),
        FFmpegUnfinishedException { Hung: true } => new(AssemblyFailureKind.FFmpegHung, exception.Message),
        FFmpegUnfinishedException => new(AssemblyFailureKind.FFmpegKilled, exception.Message),
        BadAudioException => new(AssemblyFailureKind.BadAudio, exception.Message),
        InaccessibleChunksException => new(AssemblyFailureKind.Inaccessible, exception.Message),
        FinalizationException => new(AssemblyFailureKind.CannotBeAssembled, exception.Message),
        // The machine, or this process within its limits, may be short of memory or processes. It is retried, and counted.
        OutOfMemoryException or HostExhaustedException => new(AssemblyFailureKind.FFmpegKilled, exception.Message),
        IOException or UnauthorizedAccessException => new(AssemblyFailureKind.DiskError, exception.Message),
        // Only the process knows where it happened.
        _ => new(AssemblyFailureKind.Unexpected, exception.ToString()),
    };
}

/// <summary>The process exited without a plausible result. Retried, and counted.</summary>
internal sealed class NoAssemblyResultException(string message) : IOException(message), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Bot;

    public string Explanation => "The process that assembles recordings gave no result.";
}

/// <summary>A bug in the process that assembles recordings. Retried, and counted.</summary>
/// <param name="message">The exception of the process, with its stack.</param>
internal sealed class UnexpectedAssemblyException(string message) : Exception(message);

internal enum AssemblyFailureKind
{
    Unexpected,
    DiskError,
    StorageFull,
    OverBudget,
    FFmpegMissing,
    FFmpegHung,
    FFmpegKilled,

    /// <summary>The process exited without a plausible result.</summary>
    NoResult,

    /// <summary>FFmpeg cannot decode something, for the first time.</summary>
    InDoubt,
    BadAudio,

    /// <summary>No chunk that could be opened holds audio.</summary>
    Inaccessible,
    CannotBeAssembled,
}

/// <summary>A span, to be exported by the manager.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Parent">The id of the span that contains it.</param>
/// <param name="Name">As in <c>docs/telemetry.md</c>.</param>
/// <param name="StartedAt">Its start.</param>
/// <param name="Took">Its duration.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Track">The number of the track, if it is about one.</param>
internal sealed record AssemblyStep(string Id, string? Parent, string Name, DateTimeOffset StartedAt, TimeSpan Took, string? Error, int? Track);

/// <summary>Generated, because the process is short-lived and reflection would take most of its time.</summary>
[JsonSourceGenerationOptions(IgnoreReadOnlyProperties = true, RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AssemblyRequest))]
[JsonSerializable(typeof(AssemblyResult))]
internal sealed partial class AssemblyJson : JsonSerializerContext;
