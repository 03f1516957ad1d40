using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>What is kept of ended bots: by its files alone.</summary>
internal sealed class FinalFolders(StorageLayout storage, EvidenceFolder evidence)
{
    /// <summary>Everything with a session's name; what has another one, or is a symbolic link, is not there.</summary>
    public IReadOnlyList<FinalOnDisk> List()
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
                   select new FinalOnDisk(
                       SessionId.Parse(session.Key.Id),
                       UserId.Parse(session.Key.User, provider: null),
                       new DateTimeOffset(session.Max(entry => entry.LastWriteTimeUtc)),
                       session.Any(entry => entry.Name == $"{session.Key.Id}.json")),
            ]
            : [];
    }

    /// <summary>Recording, tracks, what they were converted to, manifest, log, evidence and damaged chunks. Nothing happens where there is none of them.</summary>
    public void Delete(UserId user, SessionId id)
    {
        var folder = storage.FinalFolder(user);
        if (!Directory.Exists(folder))
            return;
        File.Delete(storage.Recording(user, id));
        FinalRecording.DeleteTracks(storage, user, id);
        // Conversions after what they are made of, so that one that ends just now finds out.
        foreach (var file in Directory.EnumerateFiles(folder, $"{id}.*").Concat(Directory.EnumerateFiles(folder, $".{id}.*")))
            File.Delete(file);
        foreach (var unfinished in Directory.EnumerateDirectories(folder, $".{id}.*"))
            Directory.Delete(unfinished, recursive: true);
        evidence.Delete(user, id);
        if (Directory.Exists(storage.Damaged(user, id)))
            Directory.Delete(storage.Damaged(user, id), recursive: true);
    }

    private static string NameOf(FileSystemInfo entry) =>
        Path.GetFileNameWithoutExtension(entry.Name).Split(StorageLayout.TrackMark)[0];
}

/// <param name="Id">From the files' name.</param>
/// <param name="UserId">From the folder's name.</param>
/// <param name="WrittenAt">When anything of it was written last.</param>
/// <param name="HasManifest">There is a file where its manifest should be.</param>
internal sealed record FinalOnDisk(SessionId Id, UserId UserId, DateTimeOffset WrittenAt, bool HasManifest);
