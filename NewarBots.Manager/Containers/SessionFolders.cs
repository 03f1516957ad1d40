using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The folders of sessions that record. A bot can write to its own folder and nowhere else. The folder belongs to
/// the bot's <see cref="ContainerUser"/>, and no other user can read it. Paths with a symbolic link are refused, because a link would
/// redirect a bot's writes, or a deletion, to another place.
/// </summary>
internal sealed class SessionFolders(StorageLayout storage, IOptions<LaunchingOptions> options)
{
    /// <summary>Holds folders that are being deleted, which may take longer than a caller can wait.</summary>
    private const string Deleted = ".deleted";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Limited further by the umask, as for any new folder.</summary>
    private const UnixFileMode Shared = OwnerOnly
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>See <see cref="StorageLayout.LaunchedBot"/>.</summary>
    private const string RememberedExtension = ".json";

    /// <summary>More than the longest record.</summary>
    private const int MaxRecordBytes = 1024 * 1024;

    /// <summary>With many managers that launch bots at the same moment.</summary>
    private const int MaxClaims = 100;

    private readonly AsyncAutoResetEvent _hasDeleted = new();

    /// <summary>Raised when a deletion has to continue in the background (<see cref="EmptyDeleted"/>).</summary>
    public AsyncAutoResetEvent HasDeleted => _hasDeleted;

    /// <summary>Creates the folder, or keeps the one of an earlier, interrupted launch.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="IOException">The folder cannot be created. The message names the path.</exception>
    public string Create(UserId user, SessionId id)
    {
        var (ofUser, session) = Names(user, id);
        using var root = UntrustedFolder.CreateTrusted(storage.TempRoot);
        using var parent = root.CreateFolder(ofUser, Shared);
        using var folder = parent.CreateFolder(session, OwnerOnly);
        var owner = ContainerUser.IsRoot ? folder.Owner : ContainerUser.OfManager;
        // An interrupted launch may have created a container with this user.
        if (!ContainerUser.IsRoot || Users.Contains(owner.Uid) && owner.Gid == owner.Uid)
            folder.GiveTo(owner);
        else
            Claim(root, folder, (ofUser, session));
        return storage.SessionFolder(user, id);
    }

    /// <summary>The user that the session's recorder runs as.</summary>
    /// <param name="folder">Path of a session folder that <see cref="Create"/> made.</param>
    /// <exception cref="IOException">The folder belongs to no recorder.</exception>
    public static ContainerUser OwnerOf(string folder)
    {
        using var session = UntrustedFolder.OpenTrusted(folder, out var problem) ?? throw new IOException($"{folder} cannot be opened ({problem}).");
        return session.Owner is { Uid: not 0 } owner ? owner : throw new IOException($"{folder} belongs to root, and no recorder may run as root.");
    }

    private UserIdRange Users => UserIdRange.TryParse(options.Value.RecorderUserIds)!.Value;

    /// <summary>
    /// Gives the folder to a user that no other session folder and no process has. Other managers may do the same at this moment, so each claims an id
    /// first, looks at the other folders then, and confirms with the group that nobody else has claimed the same.
    /// </summary>
    private void Claim(UntrustedFolder root, UntrustedFolder folder, (string OfUser, string Session) own)
    {
        for (var attempt = 1; ; attempt++)
        {
            var taken = Owners(root, own);
            taken.UnionWith(HostProcesses.ByUser().Select(user => user.Key));
            var id = Users.Choose(taken) ?? throw new IOException("All user ids for recorders are taken: check Launching:RecorderUserIds.");
            folder.GiveTo(new(id, 0));
            if (!Owners(root, own).Contains(id))
            {
                folder.GiveTo(new(id, id));
                return;
            }

            if (attempt == MaxClaims)
                throw new IOException("Other managers claim the same user ids for recorders: check Launching:RecorderUserIds.");
        }
    }

    /// <summary>User ids of all other session folders.</summary>
    private static HashSet<uint> Owners(UntrustedFolder root, (string OfUser, string Session) own)
    {
        var owners = new HashSet<uint>();
        foreach (var (_, name) in UserFolders(root))
        {
            using var ofUser = root.OpenFolder(name, out _);
            foreach (var session in (ofUser?.ListNames(out _) ?? []).Where(session => (name, session) != own))
            {
                if (ofUser!.OwnerOf(session) is { } owner)
                    owners.Add(owner);
            }
        }

        return owners;
    }

    /// <summary>
    /// Writes an input file that only the recorder can read into a folder that exists. Does nothing once the recorder has started to write:
    /// it has read its inputs, and a secret that it deleted must not reappear.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void WriteInput(UserId user, SessionId id, string name, string text)
    {
        using var folder = Open(user, id) ?? throw new IOException($"{storage.SessionFolder(user, id)} does not exist.");
        if (folder.Find(Journal.FileName) is null)
            folder.Write(name, text, folder.Owner);
    }

    /// <summary>Keeps the record of a bot that is about to get a container beside its folder, where no recorder sees it.</summary>
    /// <param name="user">Owner of the bot.</param>
    /// <param name="id">The session. It has a folder.</param>
    /// <param name="record">The record as JSON.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Remember(UserId user, SessionId id, string record)
    {
        using var parent = OpenParent(user, id) ?? throw new IOException($"{storage.LaunchedBot(user, id)} cannot be created.");
        parent.Write(RememberedName(id), record, ContainerUser.OfManager);
    }

    /// <returns>The record as JSON, and when it was written; <see langword="null"/> if the session has none.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public (string Record, DateTimeOffset WrittenAt)? Recall(UserId user, SessionId id)
    {
        using var parent = OpenParent(user, id);
        var problem = FileProblem.Missing;
        using var file = parent?.OpenFile(RememberedName(id), out problem);
        if (file is null)
            return problem is FileProblem.Missing ? null : throw new IOException($"{storage.LaunchedBot(user, id)} cannot be opened ({problem}).");
        using var reader = new StreamReader(file.OpenStream(MaxRecordBytes));
        return (reader.ReadToEnd(), file.WrittenAt);
    }

    /// <summary>Deletes the record that <see cref="Remember"/> kept. Does nothing if there is none.</summary>
    public void Forget(UserId user, SessionId id)
    {
        using var parent = OpenParent(user, id);
        parent?.RemoveWritten(RememberedName(id));
    }

    /// <summary>All sessions whose record is kept, or of which a crash left an unfinished one.</summary>
    public IReadOnlyList<(UserId User, SessionId Id)> Remembered()
    {
        using var root = OpenRoot();
        var remembered = new List<(UserId, SessionId)>();
        foreach (var (user, name) in UserFolders(root))
        {
            using var ofUser = root!.OpenFolder(name, out _);
            remembered.AddRange((ofUser?.ListNames(out _) ?? []).Select(RememberedId).OfType<SessionId>().Distinct().Select(id => (user, id)));
        }

        return remembered;
    }

    /// <summary>
    /// Removes the input files, and the folder if it is empty then: a recorder may have started to write. Does nothing if there is no
    /// folder.
    /// </summary>
    /// <exception cref="IOException">The path has a symbolic link.</exception>
    public void RemoveInputs(UserId user, SessionId id)
    {
        using (var folder = Open(user, id))
        {
            foreach (var input in SessionInput.Names)
                folder?.RemoveWritten(input);
        }

        var (ofUser, session) = Names(user, id);
        using var root = UntrustedFolder.OpenTrusted(storage.TempRoot, out _);
        using var parent = root?.OpenFolder(ofUser, out _);
        parent?.RemoveIfEmpty(session);
    }

    /// <summary>
    /// Removes the folder with its contents. Does nothing if there is none. The folder is moved aside first; if it has very many entries, the
    /// rest is deleted in the background.
    /// </summary>
    /// <exception cref="IOException">The path has a symbolic link, or the folder cannot be moved.</exception>
    public void Remove(UserId user, SessionId id)
    {
        var (ofUser, session) = Names(user, id);
        using var root = OpenRoot();
        using var parent = Open(root, ofUser);
        if (root is null || parent?.Find(session) is null)
            return;
        var aside = $"{session}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        // The folder of deleted folders is never removed: another thread or manager may be moving something into it.
        using var deleted = FindDeleted(root);
        if (deleted is null)
            parent.Remove(session, RemovalBudget.Small());
        else if (parent.MoveFolder(session, deleted, aside) && !deleted.Remove(aside, RemovalBudget.Small()))
            _hasDeleted.Raise();
    }

    /// <summary>Makes a folder that the manager kept the session's folder again. Does nothing if it is missing.</summary>
    /// <param name="user">Owner of the bot.</param>
    /// <param name="id">The session. It must not have a folder.</param>
    /// <param name="kept">Path of a folder on the same volume, to which only managers write.</param>
    /// <exception cref="IOException">It cannot be moved.</exception>
    public void Restore(UserId user, SessionId id, string kept)
    {
        var (ofUser, session) = Names(user, id);
        using var root = UntrustedFolder.CreateTrusted(storage.TempRoot);
        using var parent = root.CreateFolder(ofUser, Shared);
        using var source = UntrustedFolder.OpenTrusted(Path.GetDirectoryName(kept)!, out _);
        source?.MoveFolder(Path.GetFileName(kept), parent, session);
    }

    /// <returns><see langword="null"/> if the disk is full, so that it cannot be created.</returns>
    private static UntrustedFolder? FindDeleted(UntrustedFolder root)
    {
        try
        {
            return root.CreateFolder(Deleted, OwnerOnly);
        }
        catch (IOException exception) when (exception.IsStorageFull())
        {
            return null;
        }
    }

    /// <summary>Deletes what removals left (<see cref="Remove"/>), also those of an earlier manager.</summary>
    /// <returns>Paths of entries that cannot be deleted.</returns>
    public IReadOnlyList<string> EmptyDeleted(CancellationToken cancellation)
    {
        using var root = OpenRoot();
        using var deleted = root?.OpenFolder(Deleted, out _);
        if (root is null || deleted is null)
            return [];
        var budget = RemovalBudget.Until(cancellation);
        var left = deleted.ListNames(out _).Where(name => !deleted.Remove(name, budget)).Select(name => Path.Combine(deleted.Path, name)).ToList();
        return left;
    }

    public bool Exists(UserId user, SessionId id)
    {
        using var folder = UntrustedFolder.Open(storage, user, id, out var problem);
        return problem is not FileProblem.Missing;
    }

    /// <summary>All sessions that have a folder. Other entries, such as symbolic links, are skipped.</summary>
    /// <exception cref="IOException">The folder of all sessions cannot be opened.</exception>
    public IReadOnlyList<SessionOnDisk> List()
    {
        using var root = OpenRoot();
        var sessions = new List<SessionOnDisk>();
        foreach (var (user, name) in UserFolders(root))
        {
            using var ofUser = root!.OpenFolder(name, out _);
            foreach (var entry in ofUser?.ListNames(out _) ?? [])
            {
                if (SessionId.TryParse(entry, provider: null, out var id) && ReadOrReport(user, id, ofUser!, entry) is { } session)
                    sessions.Add(session);
            }
        }

        return sessions;
    }

    /// <summary>Paths of entries that are no user's or session's folder: files, links, folders with other names. They are not opened.</summary>
    /// <exception cref="IOException">The folder of all sessions cannot be opened.</exception>
    public IReadOnlyList<string> UnknownEntries()
    {
        using var root = OpenRoot();
        if (root is null)
            return [];
        var users = UserFolders(root).Select(user => user.Folder).ToList();
        var unknown = root.ListNames(out _).Except(users).Where(name => name != Deleted).Select(name => Path.Combine(root.Path, name)).ToList();
        foreach (var name in users)
        {
            using var ofUser = root.OpenFolder(name, out _);
            unknown.AddRange((ofUser?.List(out _) ?? [])
                .Where(entry => entry.Kind is EntryKind.Folder ? !SessionId.TryParse(entry.Name, provider: null, out _) : RememberedId(entry.Name) is null)
                .Select(entry => Path.Combine(ofUser!.Path, entry.Name)));
        }

        return unknown;
    }

    /// <summary>A disk error concerns this session only. It may have audio, so nobody deletes it.</summary>
    private static SessionOnDisk? ReadOrReport(UserId user, SessionId id, UntrustedFolder ofUser, string name)
    {
        try
        {
            return Read(user, id, ofUser, name);
        }
        catch (IOException)
        {
            return new(id, user, HasAudio: true, DateTimeOffset.MinValue) { Path = Path.Combine(ofUser.Path, name), Problem = FileProblem.ReadError };
        }
    }

    private static SessionOnDisk? Read(UserId user, SessionId id, UntrustedFolder ofUser, string name)
    {
        using var folder = ofUser.OpenFolder(name, out var problem);
        if (folder is null)
        {
            return ofUser.Find(name) is { Kind: EntryKind.Folder } closed
                ? new(id, user, HasAudio: false, closed.WrittenAt) { Path = Path.Combine(ofUser.Path, name), Problem = problem }
                // A link, or the bot has just ended and its folder was removed.
                : null;
        }

        // A recorder writes to its last chunk and its journal. The first chunk is looked up in case the listing is too long to have one.
        var chunks = folder.ListNames(out var isComplete).Where(file => ChunkFormat.TryParseFileName(file, out _)).OrderDescending(StringComparer.Ordinal).ToList();
        if (!isComplete)
            chunks.Add(ChunkFormat.FileName(0));
        var written = chunks.Take(1).Append(Journal.FileName).Select(folder.Find).Select(file => file?.WrittenAt ?? default).Append(folder.WrittenAt);
        return new(id, user, chunks.Any(chunk => folder.Find(chunk) is { Kind: EntryKind.File, Bytes: > 0 }), written.Max()) { Path = folder.Path };
    }

    private static IEnumerable<(UserId User, string Folder)> UserFolders(UntrustedFolder? root)
    {
        foreach (var entry in root?.List(out _) ?? [])
        {
            if (entry.Kind is EntryKind.Folder
                && entry.Name.StartsWith(StorageLayout.UserFolderPrefix, StringComparison.Ordinal)
                && UserId.TryParse(entry.Name[StorageLayout.UserFolderPrefix.Length..], provider: null, out var user))
                yield return (user, entry.Name);
        }
    }

    private UntrustedFolder? Open(UserId user, SessionId id)
    {
        using var parent = OpenParent(user, id);
        return Open(parent, Names(user, id).Session);
    }

    private UntrustedFolder? OpenParent(UserId user, SessionId id)
    {
        using var root = OpenRoot();
        return Open(root, Names(user, id).OfUser);
    }

    private static string RememberedName(SessionId id) => $"{id}{RememberedExtension}";

    private static SessionId? RememberedId(string name) =>
        name.EndsWith(RememberedExtension, StringComparison.Ordinal)
        && SessionId.TryParse(name[..^RememberedExtension.Length].TrimStart('.'), provider: null, out var id)
        && (name == RememberedName(id) || name == UntrustedFolder.Unfinished(RememberedName(id)))
            ? id
            : null;

    /// <returns><see langword="null"/> if it does not exist.</returns>
    private UntrustedFolder? OpenRoot() => UntrustedFolder.OpenTrusted(storage.TempRoot, out var problem) ?? NoneOrRefused(storage.TempRoot, problem);

    private static UntrustedFolder? Open(UntrustedFolder? parent, string name) => parent is null
        ? null
        : parent.OpenFolder(name, out var problem) ?? NoneOrRefused(Path.Combine(parent.Path, name), problem);

    private static UntrustedFolder? NoneOrRefused(string path, FileProblem problem) => problem is FileProblem.Missing
        ? null
        : throw new IOException($"{path} cannot be opened ({problem}).");

    private (string OfUser, string Session) Names(UserId user, SessionId id)
    {
        var folder = storage.SessionFolder(user, id);
        return (Path.GetFileName(Path.GetDirectoryName(folder)!), Path.GetFileName(folder));
    }
}

/// <summary>A session's folder on the disk.</summary>
/// <param name="Id">From the folder's name.</param>
/// <param name="UserId">From the parent folder's name.</param>
/// <param name="HasAudio">Whether it has a chunk that is not empty.</param>
/// <param name="WrittenAt">When the folder, its journal or its last chunk was last written.</param>
internal sealed record SessionOnDisk(SessionId Id, UserId UserId, bool HasAudio, DateTimeOffset WrittenAt)
{
    /// <summary>For messages only.</summary>
    public string Path { get; init; } = "";

    /// <summary>Reason why the folder cannot be read, if so.</summary>
    public FileProblem Problem { get; init; }
}
