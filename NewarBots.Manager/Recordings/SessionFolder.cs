using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Recordings;

/// <summary>The folder of a session, with the chunks of the mix, single tracks, evidence and the journal.</summary>
internal sealed partial class SessionFolder : ChunkFolder
{
    private SessionFolder(DirectoryInfo folder) : base(folder)
    {
    }

    /// <returns><see langword="null"/> if the folder does not exist.</returns>
    /// <exception cref="FinalizationException">The folder or its parent is a symbolic link.</exception>
    public static SessionFolder? Find(StorageLayout storage, UserId user, SessionId id)
    {
        var folder = new DirectoryInfo(storage.SessionFolder(user, id));
        foreach (var step in new[] { folder.Parent!, folder })
        {
            if (step.LinkTarget is { } target)
                throw new FinalizationException($"{step.FullName} is a symbolic link (to {target}), which is not followed.");
        }

        return folder.Exists ? new(folder) : null;
    }

    /// <summary>The folders of single tracks, in order of their numbers.</summary>
    public IReadOnlyList<(int Track, ChunkFolder Folder)> Tracks() =>
    [
        .. Folder.EnumerateDirectories()
            .Select(folder => (Track: TrackOf(folder), Folder: new ChunkFolder(folder)))
            .Where(track => track.Track is not null)
            .Select(track => (track.Track!.Value, track.Folder))
            .OrderBy(track => track.Value),
    ];

    /// <summary>
    /// The plain files that the recorder saved as evidence, each with the name of its folder. The names become paths in a zip file, so
    /// names that could escape the target folder are skipped.
    /// </summary>
    public IEnumerable<(string Occasion, FileInfo File)> Evidence() => Folder
        .EnumerateDirectories(StorageLayout.EvidenceFolderName)
        .Where(evidence => evidence.LinkTarget is null)
        .SelectMany(evidence => evidence.EnumerateDirectories())
        .Where(occasion => occasion.LinkTarget is null && EvidenceName.IsMatch(occasion.Name))
        .SelectMany(occasion => occasion.EnumerateFiles().Select(file => (occasion.Name, file)))
        // An empty file is skipped: it may be a pipe, and reading that would never end.
        .Where(evidence => evidence.file is { LinkTarget: null, Length: > 0 } && EvidenceName.IsMatch(evidence.file.Name));

    /// <summary>All entries except chunks, track folders, evidence, a readable journal, and files that the manager put there.</summary>
    public IEnumerable<IgnoredFile> OtherEntries()
    {
        foreach (var entry in Folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.LinkTarget is not null)
                yield return new(entry.Name, IgnoreReason.SymbolicLink);
            else if (entry is DirectoryInfo { Name: not StorageLayout.EvidenceFolderName } folder && TrackOf(folder) is null)
                yield return new(entry.Name, IgnoreReason.Folder);
            else if (entry is FileInfo { Name: Journal.FileName } journal && JournalFile.IsTooBig(journal))
                yield return new(entry.Name, IgnoreReason.TooBig, journal.Length);
            else if (entry is FileInfo file && !ChunkFormat.TryParseFileName(file.Name, out _) && file.Name is not Journal.FileName && !SessionInput.IsName(file.Name))
                yield return new(entry.Name, IgnoreReason.NotAChunk, file.Length);
        }
    }

    public SessionJournal ReadJournal(SessionId session) => SessionJournal.Read(session, JournalFile.Lines(Path));

    /// <summary>Deletes the folder with its content, without following links.</summary>
    public void Delete() => Folder.Delete(recursive: true);

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\\z", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex EvidenceName { get; }

    private static int? TrackOf(DirectoryInfo folder) =>
        folder.LinkTarget is null && StorageLayout.TryParseTrackFolderName(folder.Name, out var track) ? track : null;
}
