using System.Globalization;
using System.Security.Cryptography;
using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>Reads a whole chunk file once, for its hash, tags, length and damage.</summary>
internal static class ChunkReader
{
    /// <summary>A machine without a clock of its own starts in this year.</summary>
    private const int FirstYear = 1970;

    private const int LastYear = 9000;

    /// <summary>Further holes are merged with the last one, so that a chunk of tiny pages cannot make a long list.</summary>
    private const int MaxHoles = 5;

    /// <param name="path">The file. A longer file than a chunk can be is read up to <see cref="ChunkFolder.MaxChunkBytes"/>.</param>
    /// <param name="index">From the file name.</param>
    public static OggOpusChunk Read(string path, int index)
    {
        using var chunk = UntrustedFile.Open(path, out _);
        if (chunk is null)
            return OggOpusChunk.Inaccessible(index);
        using var file = chunk.OpenStream(ChunkFolder.MaxChunkBytes);
        using var sha256 = SHA256.Create();
        using var hashed = new CryptoStream(file, sha256, CryptoStreamMode.Read);
        var pages = new ChunkPages(hashed);
        var holes = new List<PacketRange>();
        var end = 0L;
        while (pages.Read())
        {
            if (pages.Range.First > end && holes.Count < MaxHoles)
                holes.Add(new(end, pages.Range.First - end));
            else if (pages.Range.First > end)
                holes[^1] = new(holes[^1].First, pages.Range.First - holes[^1].First);
            end = pages.Range.End;
        }

        var start = Tag(ChunkFormat.StartTag);
        var startedAt = StartOf(start);
        return new(index, file.Position, Convert.ToHexStringLower(sha256.Hash!))
        {
            Session = Tag(ChunkFormat.SessionTag),
            StartedAt = startedAt,
            FirstPacket = long.TryParse(Tag(ChunkFormat.FirstPacketTag), NumberStyles.None, null, out var first) ? first : null,
            Packets = end,
            Holes = holes,
            Problem = pages switch
            {
                { IsDamaged: true } => ChunkProblem.Damaged,
                _ when start is not null && startedAt is null => ChunkProblem.Damaged,
                { HasTornTail: true } => ChunkProblem.TornTail,
                _ => null,
            },
        };

        string? Tag(string name) => pages.Tags.FirstOrDefault(tag => tag.Key == name).Value;
    }

    /// <returns><see langword="null"/> if it is no time, or one that no recorder's clock shows. Arithmetic with it cannot overflow.</returns>
    private static DateTimeOffset? StartOf(string? tag) =>
        DateTimeOffset.TryParse(tag, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && at.UtcDateTime.Year is >= FirstYear and <= LastYear
            ? at.ToUniversalTime()
            : null;
}
