using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// A folder with the chunks of a mix or of one track. The recorder is untrusted and could write anything into it
/// (<see cref="UntrustedFolder"/>): only regular files with a chunk's name are opened, and very long ones are not read.
/// </summary>
/// <param name="path">The folder. Each call opens it again.</param>
internal class ChunkFolder(string path)
{
    /// <summary>Longer chunks are not read. Ten seconds need at most 640 kB.</summary>
    public const long MaxChunkBytes = 4 * 1024 * 1024;

    public string Path => path;

    /// <summary>Whether any chunk is not empty.</summary>
    public bool HasAudio => Chunks().Any(chunk => chunk.Bytes > 0);

    /// <summary>All regular files with a chunk's name, including empty ones, in order of their index. None if the folder cannot be opened.</summary>
    public IReadOnlyList<ChunkFile> Chunks()
    {
        using var folder = OpenFolder();
        if (folder is null)
            return [];
        var names = folder.ListNames(out var isComplete);
        // More entries than a session can have. Its chunks may not be among those listed, so they are looked up by name.
        if (!isComplete)
            names = [.. Enumerable.Range(0, UntrustedFolder.MaxEntries).Select(ChunkFormat.FileName)];
        return
        [
            .. names
                .Select(name => ChunkFormat.TryParseFileName(name, out var index) && folder.Find(name) is { Kind: EntryKind.File } file
                    ? new ChunkFile(index, System.IO.Path.Combine(Path, name), file.Bytes, Math.Max(file.Bytes, file.BytesOnDisk))
                    : null)
                .OfType<ChunkFile>()
                .OrderBy(chunk => chunk.Index),
        ];
    }

    public string PathOf(OggOpusChunk chunk) => System.IO.Path.Combine(Path, chunk.File);

    /// <returns><see langword="null"/> if it cannot be opened.</returns>
    protected UntrustedFolder? OpenFolder() => UntrustedFolder.Open(Path, out _);
}

/// <param name="Index">Its number.</param>
/// <param name="Path">Its path.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Space">Bytes that it takes on the disk, or its length if that is more.</param>
internal sealed record ChunkFile(int Index, string Path, long Bytes, long Space);
