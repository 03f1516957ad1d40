using System.Globalization;
using System.Security.Cryptography;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Reads a whole chunk file once, for its hash, tags, length and damage.</summary>
internal static class ChunkReader
{
    /// <param name="path">A plain file, not a link.</param>
    /// <param name="index">From the file name.</param>
    public static OggOpusChunk Read(string path, int index)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        using var sha256 = SHA256.Create();
        using var hashed = new CryptoStream(file, sha256, CryptoStreamMode.Read);
        var pages = new ChunkPages(hashed);
        var holes = new List<PacketRange>();
        var end = 0L;
        while (pages.Read())
        {
            if (pages.Range.First > end)
                holes.Add(new(end, pages.Range.First - end));
            end = pages.Range.End;
        }

        return new(index, file.Position, Convert.ToHexStringLower(sha256.Hash!))
        {
            Session = Tag(ChunkFormat.SessionTag),
            StartedAt = DateTimeOffset.TryParse(Tag(ChunkFormat.StartTag), null, DateTimeStyles.AssumeUniversal, out var at)
                ? at.ToUniversalTime()
                : null,
            FirstPacket = long.TryParse(Tag(ChunkFormat.FirstPacketTag), NumberStyles.None, null, out var first) ? first : null,
            Packets = end,
            Holes = holes,
            Problem = pages switch
            {
                { IsDamaged: true } => ChunkProblem.Damaged,
                { HasTornTail: true } => ChunkProblem.TornTail,
                _ => null,
            },
        };

        string? Tag(string name) => pages.Tags.FirstOrDefault(tag => tag.Key == name).Value;
    }
}
