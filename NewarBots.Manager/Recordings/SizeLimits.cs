using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// How much of what a bot leaves is read. A recorder that does as it should stays far below; whoever took one over could leave files
/// of any length, which cost nothing to make.
/// </summary>
internal static class SizeLimits
{
    /// <summary>Opus needs no more, whatever is to be heard (RFC 6716, 2.1.1: 510 kbit/s).</summary>
    private const long BytesPerSecond = 64_000;

    /// <summary>Ten seconds are 640 kB at most.</summary>
    public const long OfChunk = 4 * 1024 * 1024;

    /// <summary>All chunks of a mix, or of one track.</summary>
    public static readonly long OfChunks = BytesPerSecond * (long)(CreateBotRequest.LongestDuration + TimeSpan.FromHours(1)).TotalSeconds;
}
