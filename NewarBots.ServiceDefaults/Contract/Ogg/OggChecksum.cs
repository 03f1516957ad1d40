namespace NewarBots.Contract.Ogg;

/// <summary>Ogg's CRC-32: polynomial 0x04C11DB7, not reflected, starting from zero, not inverted.</summary>
public static class OggChecksum
{
    private static readonly uint[] Table = MakeTable();

    /// <param name="data">The bytes. The page's checksum field must be zero.</param>
    /// <param name="start">The checksum of the bytes before <paramref name="data"/>.</param>
    public static uint Of(ReadOnlySpan<byte> data, uint start = 0)
    {
        var checksum = start;
        foreach (var value in data)
            checksum = (checksum << 8) ^ Table[(checksum >> 24) ^ value];
        return checksum;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            var entry = i << 24;
            for (var bit = 0; bit < 8; bit++)
                entry = (entry & 0x8000_0000) != 0 ? (entry << 1) ^ 0x04C1_1DB7 : entry << 1;
            table[i] = entry;
        }

        return table;
    }
}
