using System.Security.Cryptography;
using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>One chunk file as read by <see cref="ChunkReader"/>.</summary>
/// <param name="Index">From the file name.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Sha256">Hash of the file, lower-case hexadecimal; empty if the file was not read.</param>
internal sealed record OggOpusChunk(int Index, long Bytes, string Sha256)
{
    /// <summary>Session id in the tags; <see langword="null"/> if the tags are unreadable.</summary>
    public string? Session { get; init; }

    /// <summary>Wall-clock time of the first sample, from the tags.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Start position on the session's timeline, from the tags.</summary>
    public long? FirstPacket { get; init; }

    /// <summary>Length up to the end of the last complete page; 0 if there is no audio.</summary>
    public long Packets { get; init; }

    /// <summary>Missing stretches between complete pages. If there are many, the last one covers the rest, with the audio in between.</summary>
    public IReadOnlyList<PacketRange> Holes { get; init; } = [];

    /// <summary>The pages are complete, but FFmpeg cannot decode the packets in them.</summary>
    public bool IsUndecodable { get; init; }

    /// <summary>The file was not read because of its size.</summary>
    public bool IsTooBig { get; init; }

    /// <summary>The file could not be opened.</summary>
    public bool IsInaccessible { get; init; }

    /// <summary><see langword="null"/> if the file is intact.</summary>
    public ChunkProblem? Problem { get; init; }

    public static OggOpusChunk Empty(int index) => new(index, Bytes: 0, Sha256: Convert.ToHexStringLower(SHA256.HashData([])));

    public static OggOpusChunk TooBig(int index, long bytes) => new(index, bytes, Sha256: string.Empty) { IsTooBig = true };

    /// <summary>A file that the recorder made inaccessible, or replaced, since it was listed.</summary>
    public static OggOpusChunk Inaccessible(int index) => new(index, Bytes: 1, Sha256: string.Empty) { IsInaccessible = true };

    public string File => ChunkFormat.FileName(Index);
}

/// <param name="First">Index of the first packet.</param>
/// <param name="Count">Number of packets.</param>
internal readonly record struct PacketRange(long First, long Count)
{
    public long End => First + Count;
}

/// <summary>Damage of a chunk. In snake_case in the manifest.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<ChunkProblem>))]
internal enum ChunkProblem
{
    /// <summary>The file ends in the middle of a page, because the recorder was killed. Complete pages are used.</summary>
    TornTail,

    /// <summary>The file contains invalid data. Valid pages around it are used.</summary>
    Damaged,

    /// <summary>The chunk starts before the previous one ends. Only its new audio is used.</summary>
    Overlapping,

    /// <summary>The position in the tags is absent or implausible. The chunk was placed directly after the previous one.</summary>
    PositionUnknown,
}
