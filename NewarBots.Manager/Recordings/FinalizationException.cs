namespace NewarBots.Manager.Recordings;

/// <summary>
/// A session's chunks cannot be put together, and trying again will not help. They stay where they are. The message says what
/// an operator would look for: the path, or FFmpeg's command line, exit code and last words.
/// </summary>
internal class FinalizationException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>FFmpeg ran to its end, and some of the audio is not what it should be.</summary>
internal sealed class BadAudioException(string message) : FinalizationException(message);

/// <summary>There is no FFmpeg to be run. The chunks stay until there is.</summary>
internal sealed class FFmpegMissingException(string path, Exception? inner = null)
    : Exception($"FFmpeg cannot be run as '{path}': install it, or set Finalizing:FFmpegPath.", inner);

/// <summary>
/// FFmpeg was killed, or hung until it had to be: the machine is short of something, or FFmpeg is at fault. That says nothing about
/// the audio, which stays where it is until a later attempt.
/// </summary>
internal sealed class FFmpegUnfinishedException(string message, bool hung, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>It did not come to an end by itself, each time.</summary>
    public bool Hung => hung;
}
