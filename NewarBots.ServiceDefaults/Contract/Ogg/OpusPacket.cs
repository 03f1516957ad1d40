namespace NewarBots.Contract.Ogg;

/// <summary>Reads the duration of an Opus packet from its first bytes (RFC 6716, section 3).</summary>
public static class OpusPacket
{
    private const int MaxSamples = ChunkFormat.SampleRate * 120 / 1000;

    /// <returns>Number of samples at 48 kHz; 0 if it is not an Opus packet.</returns>
    public static int Samples(ReadOnlySpan<byte> packet)
    {
        if (packet.IsEmpty)
            return 0;
        var configuration = packet[0] >> 3;
        var samplesPerFrame = configuration switch
        {
            < 12 => (configuration & 3) is 3 ? 2880 : 480 << (configuration & 3),
            < 16 => 480 << (configuration & 1),
            _ => 120 << (configuration & 3),
        };
        var samples = samplesPerFrame * Frames(packet);
        return samples <= MaxSamples ? samples : 0;
    }

    private static int Frames(ReadOnlySpan<byte> packet) => (packet[0] & 3) switch
    {
        0 => 1,
        1 => packet.Length % 2 == 1 ? 2 : 0,
        2 => packet.Length > 1 ? 2 : 0,
        _ => packet.Length > 1 ? packet[1] & 0x3F : 0,
    };
}
