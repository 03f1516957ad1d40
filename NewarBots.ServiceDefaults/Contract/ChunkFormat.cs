namespace NewarBots.Contract;

/// <summary>
/// A chunk: one Ogg Opus file (RFC 7845), mono, of exactly <c>CHUNK_SECONDS</c> (the last one shorter), playable alone: it has
/// its own OpusHead (pre-skip 0) and OpusTags, its granule positions start at zero, and no packet goes over a page's end.
/// All chunks of a session come from one encoder, so that their packets put together are one stream. Its tags say where it
/// belongs.
/// </summary>
public static class ChunkFormat
{
    public const int SampleRate = 48_000;

    public const int Channels = 1;

    /// <summary>One Opus packet holds 20 ms.</summary>
    public const int SamplesPerPacket = 960;

    public const int PacketsPerSecond = SampleRate / SamplesPerPacket;

    /// <summary>A packet below this level (RMS, dB below full scale) counts as silent; a quiet voice is at about -45.</summary>
    public const int AudibleLevel = -60;

    public static TimeSpan DefaultLength { get; } = TimeSpan.FromSeconds(10);

    /// <summary>OpusTags comment: the session id.</summary>
    public const string SessionTag = "NEWARBOTS_SESSION";

    /// <summary>OpusTags comment: the wall-clock time of the chunk's first sample, ISO 8601 UTC with milliseconds.</summary>
    public const string StartTag = "NEWARBOTS_START";

    /// <summary>OpusTags comment: how many packets of the session's time line come before this chunk.</summary>
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
