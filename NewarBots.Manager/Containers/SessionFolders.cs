using NewarBots.Contract;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The folders of sessions that record. A bot can write to its own folder and nowhere else. The folder belongs to
/// <see cref="ContainerUser.OfRecorders"/>, and no other user can read it. Paths with a symbolic link are refused, because a link would
/// redirect a bot's writes, or a deletion, to another place.
/// </summary>
internal sealed class SessionFolders(StorageLayout storage)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Creates the folder, or keeps the one of an earlier, interrupted launch.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="IOException">The folder cannot be created. The message names the path.</exception>
    public string Create(UserId user, SessionId id)
    {
        var folder = storage.SessionFolder(user, id);
        foreach (var part in FoldersTo(folder))
        {
            RefuseLink(part);
            Directory.CreateDirectory(part);
        }
        if (OperatingSystem.IsWindows())
            return folder;

        File.SetUnixFileMode(folder, OwnerOnly);
        ContainerUser.OfRecorders.Own(folder);
        return folder;
    }

    /// <summary>
    /// Writes an input file that only the recorder can read into a folder that exists. Does nothing once the recorder has started to write:
    /// it has read its inputs, and a secret that it deleted must not reappear.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void WriteInput(UserId user, SessionId id, string name, string text)
    {
        var folder = storage.SessionFolder(user, id);
        if (Path.Exists(Path.Combine(folder, Journal.FileName)))
            return;

        // Always a new file: an earlier recorder may have left a link, which must not be followed.
        var path = Path.Combine(folder, name);
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(path, options))
            file.Write(text);
        ContainerUser.OfRecorders.Own(path);
    }

    /// <summary>
    /// Removes the input files, and the folder if it is empty then: a recorder may have started to write. Does nothing if there is no
    /// folder.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be removed.</exception>
    public void RemoveInputs(UserId user, SessionId id)
    {
        var folder = new DirectoryInfo(storage.SessionFolder(user, id));
        foreach (var part in FoldersTo(folder.FullName))
            RefuseLink(part);
        if (!folder.Exists)
            return;
        foreach (var input in folder.EnumerateFiles().Where(file => SessionInput.IsName(file.Name)))
            input.Delete();
        if (!folder.EnumerateFileSystemInfos().Any())
            folder.Delete();
    }

    /// <summary>Removes the folder with its contents. Does nothing if there is none.</summary>
    public void Remove(UserId user, SessionId id)
    {
        var folder = storage.SessionFolder(user, id);
        foreach (var part in FoldersTo(folder))
            RefuseLink(part);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    public bool Exists(UserId user, SessionId id) => Directory.Exists(storage.SessionFolder(user, id));

    /// <summary>All sessions that have a folder. Other entries, such as symbolic links, are skipped.</summary>
    public IReadOnlyList<SessionOnDisk> List()
    {
        var root = new DirectoryInfo(storage.TempRoot);
        return root.Exists
            ?
            [
                .. from ofUser in root.EnumerateDirectories($"{StorageLayout.UserFolderPrefix}*")
                   where ofUser.LinkTarget is null
                   from folder in ofUser.EnumerateDirectories()
                   where folder.LinkTarget is null
                   let session = Read(ofUser.Name, folder)
                   where session is not null
                   select session,
            ]
            : [];
    }

    /// <summary>Paths of entries that are no user's or session's folder: files, links, folders with other names. They are not opened.</summary>
    public IReadOnlyList<string> UnknownEntries()
    {
        var root = new DirectoryInfo(storage.TempRoot);
        if (!root.Exists)
            return [];
        var users = root.EnumerateFileSystemInfos().ToLookup(entry => entry is DirectoryInfo { LinkTarget: null }
            && entry.Name.StartsWith(StorageLayout.UserFolderPrefix, StringComparison.Ordinal)
            && UserId.TryParse(entry.Name[StorageLayout.UserFolderPrefix.Length..], provider: null, out _));
        return
        [
            .. users[false].Select(entry => entry.FullName),
            .. users[true].OfType<DirectoryInfo>()
                .SelectMany(user => user.EnumerateFileSystemInfos())
                .Where(entry => entry is not DirectoryInfo { LinkTarget: null } || !SessionId.TryParse(entry.Name, provider: null, out _))
                .Select(entry => entry.FullName),
        ];
    }

    private static SessionOnDisk? Read(string ofUser, DirectoryInfo folder)
    {
        if (!UserId.TryParse(ofUser[StorageLayout.UserFolderPrefix.Length..], provider: null, out var user)
            || !SessionId.TryParse(folder.Name, provider: null, out var session))
            return null;
        try
        {
            var files = folder.GetFiles();
            return new(
                session,
                user,
                files.Any(file => file is { LinkTarget: null, Length: > 0 } && ChunkFormat.TryParseFileName(file.Name, out _)),
                new DateTimeOffset(files.Select(file => file.LastWriteTimeUtc).Append(folder.LastWriteTimeUtc).Max()));
        }
        catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException)
        {
            // The bot has just ended and its folder was removed.
            return null;
        }
    }

    private IEnumerable<string> FoldersTo(string folder)
    {
        yield return storage.TempRoot;
        yield return Path.GetDirectoryName(folder)!;
        yield return folder;
    }

    private static void RefuseLink(string path)
    {
        if (new DirectoryInfo(path).LinkTarget is { } target)
            throw new IOException($"{path} is a symbolic link (to {target}), which is refused.");
    }
}

/// <summary>A session's folder on the disk.</summary>
/// <param name="Id">From the folder's name.</param>
/// <param name="UserId">From the parent folder's name.</param>
/// <param name="HasAudio">Whether it has a chunk that is not empty.</param>
/// <param name="WrittenAt">When the folder or a file in it was last written.</param>
internal sealed record SessionOnDisk(SessionId Id, UserId UserId, bool HasAudio, DateTimeOffset WrittenAt);
