using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>The speech server gave no usable answer.</summary>
/// <param name="message">One sentence for a person, without addresses and keys.</param>
/// <param name="inner">The cause, for the log.</param>
internal sealed class SpeechServerException(string message, Exception? inner = null) : Exception(message, inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Bot;

    public string Explanation => Message;

    /// <summary>A later request may succeed.</summary>
    public bool IsTemporary { get; init; }

    /// <summary>The cause may be this piece of audio, so that others may succeed.</summary>
    public bool IsAboutPiece { get; init; }

    /// <summary>The server's Retry-After.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
