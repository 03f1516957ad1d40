using System.Runtime.InteropServices;
using NewarBots.Contract;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The folder of a session while it records, which is all of the disk that a bot can write to. It belongs to
/// <see cref="ContainerUser.OfRecorders"/> and nobody else may look into it. A symbolic link on the way to it is refused, since
/// it would lead a bot, or a deletion, to somewhere else.
/// </summary>
internal sealed partial class SessionFolders(StorageLayout storage)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes it, or takes the one of an earlier, interrupted launch.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="IOException">It cannot be made; the message names the path.</exception>
    public string Make(UserId user, SessionId id)
    {
        var folder = storage.SessionFolder(user, id);
        foreach (var step in StepsTo(folder))
        {
            RefuseLink(step);
            Directory.CreateDirectory(step);
        }
        if (OperatingSystem.IsWindows())
            return folder;

        File.SetUnixFileMode(folder, OwnerOnly);
        if (ContainerUser.IsRoot)
            GiveTo(ContainerUser.OfRecorders, folder);
        return folder;
    }

    /// <summary>
    /// Lays a file for the recorder alone into a folder that was made. Nothing happens once the recorder has begun to write: it
    /// has read what lay there, and a secret that it removed is not to come back.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Lay(UserId user, SessionId id, string name, string text)
    {
        var folder = storage.SessionFolder(user, id);
        if (Path.Exists(Path.Combine(folder, Journal.FileName)))
            return;

        // Made anew and never opened: whatever an earlier recorder may have put there, a link for one, is not written through.
        var path = Path.Combine(folder, name);
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(path, options))
            file.Write(text);
        if (ContainerUser.IsRoot)
            GiveTo(ContainerUser.OfRecorders, path);
    }

    /// <summary>
    /// Takes back what was laid, and the folder itself where nothing else is in it: a recorder may have begun to write. Nothing happens
    /// where there is none.
    /// </summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Withdraw(UserId user, SessionId id)
    {
        var folder = new DirectoryInfo(storage.SessionFolder(user, id));
        foreach (var step in StepsTo(folder.FullName))
            RefuseLink(step);
        if (!folder.Exists)
            return;
        foreach (var laid in folder.EnumerateFiles().Where(file => SessionInput.IsName(file.Name)))
            laid.Delete();
        if (!folder.EnumerateFileSystemInfos().Any())
            folder.Delete();
    }

    /// <summary>Removes it with everything in it. Nothing happens where there is none.</summary>
    public void Remove(UserId user, SessionId id)
    {
        var folder = storage.SessionFolder(user, id);
        foreach (var step in StepsTo(folder))
            RefuseLink(step);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    public bool Exists(UserId user, SessionId id) => Directory.Exists(storage.SessionFolder(user, id));

    /// <summary>All sessions that have a folder; what has another shape, or is a symbolic link, is none.</summary>
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

    /// <summary>What lies where only users' and sessions' folders should: files, links, folders with other names. None is looked into.</summary>
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
            // Its bot has just come to its end.
            return null;
        }
    }

    private IEnumerable<string> StepsTo(string folder)
    {
        yield return storage.TempRoot;
        yield return Path.GetDirectoryName(folder)!;
        yield return folder;
    }

    private static void RefuseLink(string path)
    {
        if (new DirectoryInfo(path).LinkTarget is { } target)
            throw new IOException($"{path} is a symbolic link (to {target}): refused.");
    }

    private static void GiveTo(ContainerUser user, string path)
    {
        if (ChangeOwner(path, user.Uid, user.Gid) != 0)
        {
            throw new IOException(
                $"{path} cannot be given to {user}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint owner, uint group);
}

/// <summary>What a bot has left on the disk so far.</summary>
/// <param name="Id">From the folder's name.</param>
/// <param name="UserId">From the name of the folder around it.</param>
/// <param name="HasAudio">There is a chunk with something in it.</param>
/// <param name="WrittenAt">When anything was written into it last.</param>
internal sealed record SessionOnDisk(SessionId Id, UserId UserId, bool HasAudio, DateTimeOffset WrittenAt);
