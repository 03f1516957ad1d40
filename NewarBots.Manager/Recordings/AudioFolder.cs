using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// A folder with chunks in it, after the recorder is gone. A bot could write anything into it: links are never followed, only
/// plain files with a chunk's name are opened, and nothing outside of it is touched.
/// </summary>
internal class AudioFolder(DirectoryInfo folder)
{
    public string Path => folder.FullName;

    /// <summary>There is a chunk that is not empty.</summary>
    public bool HasAudio => Chunks().Any(chunk => chunk.Bytes > 0);

    protected DirectoryInfo Folder => folder;

    /// <summary>The plain files with a chunk's name, empty ones included, by their index.</summary>
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
