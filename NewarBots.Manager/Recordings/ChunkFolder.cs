using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// A folder with the chunks of a mix or of one track. The recorder is untrusted and could write anything into it: only plain files with
/// a chunk's name are opened, links are never followed, and very long files are not read.
/// </summary>
internal class ChunkFolder(DirectoryInfo folder)
{
    /// <summary>Opus needs at most 510 kbit/s (RFC 6716, 2.1.1).</summary>
    private const long MaxBytesPerSecond = 64_000;

    /// <summary>Longer chunks are not read. Ten seconds need at most 640 kB.</summary>
    public const long MaxChunkBytes = 4 * 1024 * 1024;

    /// <summary>Chunks beyond this total are not read.</summary>
    public static readonly long MaxTotalBytes = MaxBytesPerSecond * (long)(CreateBotRequest.MaxDuration + TimeSpan.FromHours(1)).TotalSeconds;

    public string Path => folder.FullName;

    /// <summary>Whether any chunk is not empty.</summary>
    public bool HasAudio => Chunks().Any(chunk => chunk.Bytes > 0);

    protected DirectoryInfo Folder => folder;

    /// <summary>All plain files with a chunk's name, including empty ones, in order of their index.</summary>
    public IReadOnlyList<ChunkFile> Chunks() =>
    [
        .. folder.EnumerateFiles()
            .Where(file => file.LinkTarget is null)
            .Select(file => ChunkFormat.TryParseFileName(file.Name, out var index) ? new ChunkFile(index, file.FullName, file.Length) : null)
            .OfType<ChunkFile>()
            .OrderBy(chunk => chunk.Index),
    ];

    public string PathOf(OggOpusChunk chunk) => System.IO.Path.Combine(Path, chunk.File);
}

internal sealed record ChunkFile(int Index, string Path, long Bytes);
