using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Tracking;

namespace NewarBots.Manager.Recordings;

/// <summary>The folder of a session, with the chunks of the mix, single tracks, evidence and the journal.</summary>
internal sealed partial class SessionFolder : ChunkFolder
{
    /// <summary>Other entries that the manifest names. A recorder writes none.</summary>
    private const int MaxOtherEntries = 100;

    /// <summary>Folders and files of evidence that are looked at, readable or not.</summary>
    private const int MaxEvidenceEntries = 500;

    private SessionFolder(string path) : base(path)
    {
    }

    /// <returns><see langword="null"/> if the folder does not exist.</returns>
    /// <exception cref="FinalizationException">The folder cannot be opened, for example because it is a symbolic link.</exception>
    public static SessionFolder? Find(StorageLayout storage, UserId user, SessionId id)
    {
        using var folder = UntrustedFolder.Open(storage, user, id, out var problem);
        return problem switch
        {
            FileProblem.None => new(storage.SessionFolder(user, id)),
            FileProblem.Missing => null,
            _ => throw new FinalizationException($"{storage.SessionFolder(user, id)} cannot be opened ({problem})."),
        };
    }

    /// <summary>Opens a session folder by a path that leads to no other folder.</summary>
    public static SessionFolder Open(string path) => new(path);

    /// <summary>The folders of single tracks, in order of their numbers.</summary>
    public IReadOnlyList<(int Track, ChunkFolder Folder)> Tracks()
    {
        using var folder = OpenFolder();
        return folder is null ? [] :
        [
            .. folder.ListNames(out _)
                .Where(name => TrackOf(name) is not null && folder.Find(name) is { Kind: EntryKind.Folder })
                .Select(name => (Track: TrackOf(name)!.Value, Folder: new ChunkFolder(System.IO.Path.Combine(Path, name))))
                .OrderBy(track => track.Track),
        ];
    }

    /// <summary>
    /// The regular files that the recorder saved as evidence, open, each with the names of its folder and of itself. The names become paths in a
    /// zip file, so names that could escape the target folder are skipped. At most 500 entries are looked at. The caller disposes the files.
    /// </summary>
    public IEnumerable<(string Occasion, string Name, UntrustedFile File)> Evidence()
    {
        var left = MaxEvidenceEntries;
        using var folder = OpenFolder();
        using var evidence = folder?.OpenFolder(StorageLayout.EvidenceFolderName, out _);
        foreach (var name in Named(evidence))
        {
            if (--left < 0)
                yield break;
            using var occasion = evidence!.OpenFolder(name, out _);
            foreach (var file in Named(occasion))
            {
                if (--left < 0)
                    yield break;
                if (occasion!.OpenFile(file, out _) is { } open)
                    yield return (name, file, open);
            }
        }

        static IEnumerable<string> Named(UntrustedFolder? folder) =>
            folder?.ListNames(out _).Where(name => EvidenceName.IsMatch(name)).Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>();
    }

    /// <summary>
    /// All entries except chunks, track folders, evidence, a readable journal, and files that the manager put there. After the first
    /// 100 names, one entry stands for the rest.
    /// </summary>
    public IEnumerable<IgnoredFile> OtherEntries()
    {
        using var folder = OpenFolder();
        if (folder is null)
            yield break;
        var others = folder.List(out var isComplete).Select(Judge).OfType<IgnoredFile>().ToList();
        foreach (var other in others.OrderBy(other => other.File, StringComparer.Ordinal).Take(MaxOtherEntries))
            yield return other;
        if (others.Count > MaxOtherEntries || !isComplete)
            yield return new("*", IgnoreReason.NotListed);
    }

    /// <summary>Whether it has a journal that is not too long to be read.</summary>
    public bool HasReadableJournal
    {
        get
        {
            using var folder = OpenFolder();
            return folder?.Find(Journal.FileName) is { Kind: EntryKind.File, Bytes: <= JournalFile.MaxBytes };
        }
    }

    public SessionJournal ReadJournal(SessionId session) => SessionJournal.Read(session, JournalFile.Lines(Path));

    /// <summary>Lets the process that assembles the recording read all chunks and the journal, as their owner.</summary>
    /// <exception cref="IOException">The disk is unavailable, or an owner cannot be changed.</exception>
    public void GiveTo(ContainerUser user)
    {
        using var folder = OpenFolder();
        folder?.GiveFilesTo(user, [Journal.FileName, .. NamesOf(this)]);
        foreach (var (track, chunks) in Tracks().Take(RecordingBudget.MaxTracks))
        {
            using var ofTrack = folder?.OpenFolder(StorageLayout.TrackFolderName(track), out _);
            ofTrack?.GiveFilesTo(user, NamesOf(chunks));
        }

        static IEnumerable<string> NamesOf(ChunkFolder folder) => folder.Chunks().Select(chunk => System.IO.Path.GetFileName(chunk.Path));
    }

    /// <summary>
    /// Frees space on a full disk: deletes files that no recording needs, the largest first. The chunks within the budget, the journal, and 32 MiB of
    /// evidence stay.
    /// </summary>
    /// <param name="budget">Limits the chunks, by the space that they take.</param>
    /// <returns>The bytes freed.</returns>
    public long Free(RecordingBudget budget)
    {
        using var folder = OpenFolder();
        if (folder is null)
            return 0;
        var kept = budget.Within(this).Select(chunk => System.IO.Path.GetRelativePath(Path, chunk)).ToHashSet(StringComparer.Ordinal);
        var bytes = budget.BytesOfTracks;
        foreach (var (_, track) in Tracks().Take(RecordingBudget.MaxTracks))
        {
            foreach (var chunk in track.Chunks().Where(chunk => chunk.Bytes is > 0 and <= MaxChunkBytes).TakeWhile(chunk => (bytes -= chunk.Space) >= 0))
                kept.Add(System.IO.Path.GetRelativePath(Path, chunk.Path));
        }
        var evidence = EvidenceFolder.MaxBytes;
        return folder.Free(long.MaxValue, IsNeeded, RemovalBudget.OfFolder());

        bool IsNeeded(string path, UntrustedEntry entry) => (path.Split('/'), entry.Kind) switch
        {
            ([Journal.FileName], EntryKind.File) => entry.BytesOnDisk <= JournalFile.MaxBytes,
            ([StorageLayout.EvidenceFolderName, ..], EntryKind.Folder) => true,
            ([StorageLayout.EvidenceFolderName, _, _], EntryKind.File) => kept.Contains(path) || ((evidence -= entry.BytesOnDisk) >= 0 && kept.Add(path)),
            ([var name], EntryKind.Folder) => TrackOf(name) is not null,
            (_, EntryKind.File) => kept.Contains(path),
            _ => false,
        };
    }

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\\z", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex EvidenceName { get; }

    /// <returns><see langword="null"/> for what belongs into the folder.</returns>
    private static IgnoredFile? Judge(UntrustedEntry entry) => entry switch
    {
        { Kind: EntryKind.SymbolicLink } => new(entry.Name, IgnoreReason.SymbolicLink),
        { Kind: EntryKind.Folder } => entry.Name is StorageLayout.EvidenceFolderName || TrackOf(entry.Name) is not null ? null : new(entry.Name, IgnoreReason.Folder),
        { Kind: EntryKind.Other } => new(entry.Name, IgnoreReason.NotAChunk),
        { Name: Journal.FileName } => entry.Bytes > JournalFile.MaxBytes ? new(entry.Name, IgnoreReason.TooBig, entry.Bytes) : null,
        _ when ChunkFormat.TryParseFileName(entry.Name, out _) || SessionInput.IsName(entry.Name) => null,
        _ => new(entry.Name, IgnoreReason.NotAChunk, entry.Bytes),
    };

    private static int? TrackOf(string folder) => StorageLayout.TryParseTrackFolderName(folder, out var track) ? track : null;
}
