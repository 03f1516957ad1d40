using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Recordings;

/// <summary>A session's folder: the chunks of its mix, and what lies beside them.</summary>
internal sealed partial class SessionFolder : AudioFolder
{
    private SessionFolder(DirectoryInfo folder) : base(folder)
    {
    }

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

    /// <summary>The folders of tracks alone, by the tracks' numbers.</summary>
    public IReadOnlyList<(int Track, AudioFolder Folder)> Tracks() =>
    [
        .. Folder.EnumerateDirectories()
            .Select(folder => (Track: TrackOf(folder), Folder: new AudioFolder(folder)))
            .Where(track => track.Track is not null)
            .Select(track => (track.Track!.Value, track.Folder))
            .OrderBy(track => track.Value),
    ];

    /// <summary>
    /// The plain files that the recorder left as evidence, each with the name of the folder that it lies in. The names go into a zip that
    /// somebody unpacks elsewhere: none is taken that could mean a path there.
    /// </summary>
    public IEnumerable<(string Occasion, FileInfo File)> Evidence() => Folder
        .EnumerateDirectories(StorageLayout.EvidenceFolderName)
        .Where(evidence => evidence.LinkTarget is null)
        .SelectMany(evidence => evidence.EnumerateDirectories())
        .Where(occasion => occasion.LinkTarget is null && EvidenceName.IsMatch(occasion.Name))
        .SelectMany(occasion => occasion.EnumerateFiles().Select(file => (occasion.Name, file)))
        // A pipe looks like an empty file, and reading it would never end.
        .Where(evidence => evidence.file is { LinkTarget: null, Length: > 0 } && EvidenceName.IsMatch(evidence.file.Name));

    /// <summary>Everything that is neither a chunk, a track's folder, a journal that can be read, evidence nor what the manager laid there.</summary>
    public IEnumerable<IgnoredFile> Others()
    {
        foreach (var entry in Folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.LinkTarget is not null)
                yield return new(entry.Name, IgnoredBecause.SymbolicLink);
            else if (entry is DirectoryInfo { Name: not StorageLayout.EvidenceFolderName } folder && TrackOf(folder) is null)
                yield return new(entry.Name, IgnoredBecause.Folder);
            else if (entry is FileInfo { Name: Journal.FileName } journal && JournalFile.IsTooBig(journal))
                yield return new(entry.Name, IgnoredBecause.TooBig, journal.Length);
            else if (entry is FileInfo file && !ChunkFormat.TryParseFileName(file.Name, out _) && file.Name is not Journal.FileName && !SessionInput.IsName(file.Name))
                yield return new(entry.Name, IgnoredBecause.NotAChunk, file.Length);
        }
    }

    public SessionJournal ReadJournal(SessionId session) => SessionJournal.Read(session, JournalFile.Lines(Path));

    /// <summary>Removes it with everything in it; what links in it point to stays.</summary>
    public void Delete() => Folder.Delete(recursive: true);

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\\z", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex EvidenceName { get; }

    private static int? TrackOf(DirectoryInfo folder) =>
        folder.LinkTarget is null && StorageLayout.TryParseTrackFolderName(folder.Name, out var track) ? track : null;
}
