using System.Globalization;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

/// <summary>Reads the extent of a time line from the chunks in a folder.</summary>
internal static class ChunkFolder
{
    /// <returns><see langword="null"/> if no chunk has audio.</returns>
    public static TimeLinePosition? ReadPosition(string folder)
    {
        var indexes = Directory.EnumerateFiles(folder)
            .Select(path => ChunkFormat.TryParseFileName(Path.GetFileName(path), out var index) ? index : -1)
            .Where(index => index >= 0)
            .OrderDescending()
            .ToList();
        foreach (var index in indexes)
        {
            if (ReadChunk(Path.Combine(folder, ChunkFormat.FileName(index))) is { } chunk)
            {
                var begin = chunk.Start - (chunk.FirstPacket * TimeLinePosition.PacketLength);
                return new(begin, chunk.FirstPacket + chunk.Packets, Chunks: indexes[0] + 1);
            }
        }

        return null;
    }

    private static Chunk? ReadChunk(string path)
    {
        using var file = File.OpenRead(path);
        var pages = new OggPageReader(file);
        Chunk? chunk = null;
        while (pages.Read())
        {
            if (ReadTags(pages.Packets) is { } tagged)
                chunk = tagged;
            else if (chunk is { } known)
                chunk = known with { Packets = pages.Granule / ChunkFormat.SamplesPerPacket };
        }

        return chunk;
    }

    private static Chunk? ReadTags(OggPackets packets)
    {
        foreach (var packet in packets)
        {
            var tags = OpusHeaders.ReadTags(packet) ?? [];
            return DateTimeOffset.TryParse(Value(ChunkFormat.StartTag), CultureInfo.InvariantCulture, out var at)
                && long.TryParse(Value(ChunkFormat.FirstPacketTag), out var first)
                ? new Chunk(at, first, Packets: 0)
                : null;

            string? Value(string name) => tags.FirstOrDefault(tag => tag.Key == name).Value;
        }

        return null;
    }

    private readonly record struct Chunk(DateTimeOffset Start, long FirstPacket, long Packets);
}
