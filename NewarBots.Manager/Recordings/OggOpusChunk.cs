using System.Security.Cryptography;
using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>One chunk file as <see cref="ChunkReader"/> found it.</summary>
/// <param name="Index">From its name.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="Sha256">Of the whole file, lower-case hexadecimal; empty where that was not read.</param>
internal sealed record OggOpusChunk(int Index, long Bytes, string Sha256)
{
    /// <summary>The session it says that it belongs to; <see langword="null"/> where its tags are not readable.</summary>
    public string? Session { get; init; }

    /// <summary>Wall-clock time of its first sample.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Where it says that it begins on the session's time line.</summary>
    public long? FirstPacket { get; init; }

    /// <summary>How long its own time line is, up to the end of its last whole page; 0: there is no audio in it.</summary>
    public long Packets { get; init; }

    /// <summary>What is missing of that time line between whole pages.</summary>
    public IReadOnlyList<PacketRange> Holes { get; init; } = [];

    /// <summary>Its pages are whole, and a decoder can do nothing with what is on them.</summary>
    public bool IsUndecodable { get; init; }

    /// <summary>It was not read, and nothing is known of it but its size.</summary>
    public bool IsTooBig { get; init; }

    /// <summary><see langword="null"/>: every byte of the file is as the recorder wrote it.</summary>
    public ChunkProblem? Problem { get; init; }

    public static OggOpusChunk Empty(int index) => new(index, Bytes: 0, Sha256: Convert.ToHexStringLower(SHA256.HashData([])));

    public static OggOpusChunk TooBig(int index, long bytes) => new(index, bytes, Sha256: string.Empty) { IsTooBig = true };

    public string File => ChunkFormat.FileName(Index);
}

/// <param name="First">From this packet on.</param>
/// <param name="Count">So many packets.</param>
internal readonly record struct PacketRange(long First, long Count)
{
    public long End => First + Count;
}

/// <summary>What is wrong with a chunk. In the manifest in snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<ChunkProblem>))]
internal enum ChunkProblem
{
    /// <summary>The file ends in the middle of a page: whoever wrote it was killed. What lies before is used.</summary>
    TornTail,

    /// <summary>Something in it is no whole page of this stream. What lies around is used.</summary>
    Damaged,

    /// <summary>It begins before the chunk before it ends. What is new in it is used.</summary>
    Overlapping,

    /// <summary>It does not say, or not believably, where it belongs, and was put behind the chunk before it.</summary>
    PositionUnknown,
}
