using NewarBots.Contract;

namespace NewarBots.Manager.Finalizing;

/// <summary>
/// A session's folder after its recorder is gone. A bot could write anything into it: links are never followed, only plain
/// files with a chunk's name are opened, and nothing outside of it is touched.
/// </summary>
internal sealed class SessionFolder
{
    private readonly DirectoryInfo _folder;

    private SessionFolder(DirectoryInfo folder) => _folder = folder;

    public string Path => _folder.FullName;

    /// <returns><see langword="null"/> where there is none.</returns>
    /// <exception cref="FinalizationException">A symbolic link stands in its place.</exception>
    public static SessionFolder? Find(StorageLayout storage, UserId user, SessionId id)
    {
        var folder = new DirectoryInfo(storage.SessionFolder(user, id));
        foreach (var step in new[] { folder.Parent!, folder })
        {
            if (step.LinkTarget is { } target)
                throw new FinalizationException($"{step.FullName} is a symbolic link (to {target}) and is not followed.");
        }

        return folder.Exists ? new(folder) : null;
    }

    /// <summary>The plain files with a chunk's name, empty ones included, by their index.</summary>
    public IReadOnlyList<ChunkFile> Chunks() =>
    [
        .. _folder.EnumerateFiles()
            .Where(file => file.LinkTarget is null)
            .Select(file => ChunkFormat.TryParseFileName(file.Name, out var index) ? new ChunkFile(index, file.FullName, file.Length) : null)
            .OfType<ChunkFile>()
            .OrderBy(chunk => chunk.Index),
    ];

    public string PathOf(OggOpusChunk chunk) => System.IO.Path.Combine(Path, chunk.File);

    /// <summary>The plain files that the recorder left as evidence, each with the name of the folder that it lies in.</summary>
    public IEnumerable<(string Occasion, FileInfo File)> Evidence() => _folder
        .EnumerateDirectories(StorageLayout.EvidenceFolderName)
        .Where(evidence => evidence.LinkTarget is null)
        .SelectMany(evidence => evidence.EnumerateDirectories())
        .Where(occasion => occasion.LinkTarget is null)
        .SelectMany(occasion => occasion.EnumerateFiles().Select(file => (occasion.Name, file)))
        // A pipe looks like an empty file, and reading it would never end.
        .Where(evidence => evidence.file is { LinkTarget: null, Length: > 0 });

    /// <summary>Everything that is neither a chunk, the journal, evidence nor what the manager laid there.</summary>
    public IEnumerable<IgnoredFile> Others()
    {
        foreach (var entry in _folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.LinkTarget is not null)
                yield return new(entry.Name, IgnoredBecause.SymbolicLink);
            else if (entry is DirectoryInfo { Name: not StorageLayout.EvidenceFolderName })
                yield return new(entry.Name, IgnoredBecause.Folder);
            else if (entry is FileInfo file && !ChunkFormat.TryParseFileName(file.Name, out _) && file.Name is not Journal.FileName && !SessionInput.IsName(file.Name))
                yield return new(entry.Name, IgnoredBecause.NotAChunk, file.Length);
        }
    }

    public SessionJournal ReadJournal(SessionId session)
    {
        // Nothing is read from an empty file: a pipe looks like one, and would never end.
        var file = new FileInfo(System.IO.Path.Combine(Path, Journal.FileName));
        return file is { Exists: true, LinkTarget: null, Length: > 0 }
            ? SessionJournal.Read(session, File.ReadLines(file.FullName))
            : SessionJournal.Empty;
    }

    /// <summary>Removes it with everything in it; what links in it point to stays.</summary>
    public void Delete() => _folder.Delete(recursive: true);
}

internal sealed record ChunkFile(int Index, string Path, long Bytes);
