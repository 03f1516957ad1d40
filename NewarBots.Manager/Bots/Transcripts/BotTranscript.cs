using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Transcripts;

/// <summary>A bot whose recording is to be transcribed once it is finished.</summary>
/// <param name="Language">The language that is spoken; <see langword="null"/>: as the settings say.</param>
internal sealed record TranscriptWish(string? Language);

/// <summary>The transcript of a bot's recording, as its record keeps it. The text is in a file beside the recording.</summary>
internal sealed record BotTranscript(TranscriptStatus Status)
{
    /// <summary>Why it failed, or why the next attempt waits, as one line for a person.</summary>
    public string? Error { get; init; }

    /// <summary>As requested; once completed, as the server reported it.</summary>
    public string? Language { get; init; }

    public string? Model { get; init; }

    /// <summary>When the next attempt is due; <see langword="null"/> once it is completed or failed.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>How often a manager has begun an attempt. A fencing token: only the latest may write the result.</summary>
    public int Attempt { get; init; }

    /// <summary>Attempts in succession that failed without transcribing anything further.</summary>
    public int FailedAttempts { get; init; }

    /// <summary>The transcribed part of the speech, from 0 to 1.</summary>
    public double? Progress { get; init; }

    /// <summary>This is a repeat: until it is completed, the file has the text of an earlier request.</summary>
    public bool HasEarlierText { get; init; }

    [JsonIgnore]
    public bool HasText => Status is TranscriptStatus.Completed || HasEarlierText;

    [JsonIgnore]
    public bool IsUnderWay => Status is TranscriptStatus.Pending or TranscriptStatus.Processing;
}

[JsonConverter(typeof(SnakeCaseEnumConverter<TranscriptStatus>))]
internal enum TranscriptStatus
{
    /// <summary>Waits for its first attempt or a retry.</summary>
    Pending,

    Processing,

    Completed,

    /// <summary>Not transcribed, and not retried.</summary>
    Failed,
}
