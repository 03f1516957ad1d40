using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>Lists and deletes the stored files of ended bots. Works on the files alone, without records.</summary>
internal sealed class FinalFiles(StorageLayout storage, EvidenceFolder evidence)
{
    /// <summary>All sessions with files. Skips symbolic links and files that are not named after a session.</summary>
    public IReadOnlyList<FinalSession> List()
    {
        var root = new DirectoryInfo(storage.FinalRoot);
        return root.Exists
            ?
            [
                .. from ofUser in root.EnumerateDirectories($"{StorageLayout.UserFolderPrefix}*")
                   where ofUser.LinkTarget is null && UserId.TryParse(ofUser.Name[StorageLayout.UserFolderPrefix.Length..], provider: null, out _)
                   from entry in ofUser.EnumerateFileSystemInfos()
                   where entry.LinkTarget is null && SessionId.TryParse(NameOf(entry), provider: null, out _)
                   group entry by (User: ofUser.Name[StorageLayout.UserFolderPrefix.Length..], Id: NameOf(entry)) into session
                   select new FinalSession(
                       SessionId.Parse(session.Key.Id),
                       UserId.Parse(session.Key.User, provider: null),
                       new DateTimeOffset(session.Max(entry => entry.LastWriteTimeUtc)),
                       session.Any(entry => entry.Name == $"{session.Key.Id}.json")),
            ]
            : [];
    }

    /// <summary>Deletes the recording, tracks, converted files, manifest, log, evidence and damaged chunks. Idempotent.</summary>
    public void Delete(UserId user, SessionId id)
    {
        var folder = storage.FinalFolder(user);
        if (!Directory.Exists(folder))
            return;
        File.Delete(storage.Recording(user, id));
        FinalRecording.DeleteTracks(storage, user, id);
        // Converted files go after their source: a conversion that finishes now notices that the source is gone.
        foreach (var file in Directory.EnumerateFiles(folder, $"{id}.*").Concat(Directory.EnumerateFiles(folder, $".{id}.*")))
            File.Delete(file);
        foreach (var unfinished in Directory.EnumerateDirectories(folder, $".{id}.*"))
            UntrustedFolder.Delete(unfinished);
        evidence.Delete(user, id);
        if (Directory.Exists(storage.Damaged(user, id)))
            Directory.Delete(storage.Damaged(user, id), recursive: true);
    }

    private static string NameOf(FileSystemInfo entry) =>
        Path.GetFileNameWithoutExtension(entry.Name).Split(StorageLayout.TrackMark)[0];
}

/// <param name="Id">From the file names.</param>
/// <param name="UserId">From the folder name.</param>
/// <param name="WrittenAt">Last write to any of its files.</param>
/// <param name="HasManifest">A file with the manifest's name exists.</param>
internal sealed record FinalSession(SessionId Id, UserId UserId, DateTimeOffset WrittenAt, bool HasManifest);
