namespace NewarBots.Contract;

/// <summary>
/// A chunk is a mono Ogg Opus file (RFC 7845) of exactly <see cref="RecorderAssignment.ChunkLength"/>; the last one is shorter. It is playable alone: it has its own
/// OpusHead (pre-skip 0) and OpusTags, its granule positions start at zero, and no packet crosses a page boundary.
/// One encoder produces all chunks of a session, so their concatenated packets are one stream. The tags hold a chunk's position.
/// </summary>
public static class ChunkFormat
{
    public const int SampleRate = 48_000;

    public const int Channels = 1;

    /// <summary>One Opus packet holds 20 ms.</summary>
    public const int SamplesPerPacket = 960;

    public const int PacketsPerSecond = SampleRate / SamplesPerPacket;

    /// <summary>Packets below this level (RMS, dBFS) count as silent. A quiet voice is at about -45.</summary>
    public const int AudibleLevel = -60;

    public static TimeSpan DefaultLength { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Packets of a chunk of the default length, which is the length that managers ask for.</summary>
    public static long MaxPackets { get; } = (long)(DefaultLength.TotalSeconds * PacketsPerSecond);

    /// <summary>OpusTags comment: the session id.</summary>
    public const string SessionTag = "NEWARBOTS_SESSION";

    /// <summary>OpusTags comment: the wall-clock time of the chunk's first sample, ISO 8601 UTC with milliseconds.</summary>
    public const string StartTag = "NEWARBOTS_START";

    /// <summary>OpusTags comment: the number of packets before this chunk on the session's timeline.</summary>
    public const string FirstPacketTag = "NEWARBOTS_FIRST_PACKET";

    public static string FileName(int index) => $"chunk_{index:D5}.ogg";

    public static bool TryParseFileName(string? name, out int index)
    {
        index = 0;
        return name is { Length: 15 }
            && name.StartsWith("chunk_", StringComparison.Ordinal)
            && name.EndsWith(".ogg", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(6, 5), System.Globalization.NumberStyles.None, provider: null, out index);
    }
}
