using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>Reads from a session's folder how far its time line is, so that a recorder that starts again goes on from there.</summary>
internal static class ChunkFolder
{
    /// <returns><see langword="null"/> where there is nothing to go on from.</returns>
    public static TimeLinePosition? ReadPosition(string folder)
    {
        var indexes = Directory.EnumerateFiles(folder)
            .Select(path => ChunkFormat.TryParseFileName(Path.GetFileName(path), out var index) ? index : -1)
            .Where(index => index >= 0)
            .OrderDescending()
            .ToList();
        foreach (var index in indexes)
        {
            if (ReadChunk(File.ReadAllBytes(Path.Combine(folder, ChunkFormat.FileName(index)))) is { } chunk)
            {
                var begin = chunk.Start - (chunk.FirstPacket * TimeLinePosition.PacketLength);
                return new(begin, chunk.FirstPacket + chunk.Packets, Chunks: indexes[0] + 1);
            }
        }

        return null;
    }

    private static Chunk? ReadChunk(ReadOnlySpan<byte> file)
    {
        const int headerLength = 27;
        Chunk? chunk = null;
        while (file.Length >= headerLength && file.StartsWith("OggS"u8))
        {
            var segments = file[26];
            if (file.Length < headerLength + segments)
                break;
            var bodyLength = 0;
            foreach (var lacing in file.Slice(headerLength, segments))
                bodyLength += lacing;
            var pageLength = headerLength + segments + bodyLength;
            if (file.Length < pageLength || !HasRightChecksum(file[..pageLength]))
                break;
            var body = file[(headerLength + segments)..pageLength];
            if (body.StartsWith("OpusTags"u8))
                chunk = ReadTags(Encoding.UTF8.GetString(body));
            else if (chunk is { } known)
                chunk = known with { Packets = BinaryPrimitives.ReadInt64LittleEndian(file[6..]) / ChunkFormat.SamplesPerPacket };
            file = file[pageLength..];
        }

        return chunk;
    }

    private static bool HasRightChecksum(ReadOnlySpan<byte> page)
    {
        const int checksumAt = 22;
        var expected = OggChecksum.Of(page[..checksumAt]);
        expected = OggChecksum.Of([0, 0, 0, 0], expected);
        expected = OggChecksum.Of(page[(checksumAt + 4)..], expected);
        return BinaryPrimitives.ReadUInt32LittleEndian(page[checksumAt..]) == expected;
    }

    // The comments' order and lengths are ours (OpusHeaders.Tags): a value ends where the next comment's length begins.
    private static Chunk? ReadTags(string tags)
    {
        var start = Value(ChunkFormat.StartTag, length: "0000-00-00T00:00:00.000Z".Length);
        var firstPacket = Value(ChunkFormat.FirstPacketTag, length: int.MaxValue);
        return DateTimeOffset.TryParse(start, CultureInfo.InvariantCulture, out var at) && long.TryParse(firstPacket, out var first)
            ? new Chunk(at, first, Packets: 0)
            : null;

        string? Value(string name, int length)
        {
            var index = tags.IndexOf($"{name}=", StringComparison.Ordinal);
            return index < 0 ? null : new string([.. tags.Skip(index + name.Length + 1).Take(length)]);
        }
    }

    private readonly record struct Chunk(DateTimeOffset Start, long FirstPacket, long Packets);
}
