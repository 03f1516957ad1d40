using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers;

/// <summary>
/// An open folder that a recorder can write to. This type is the only one that opens, lists, moves or deletes anything in a session folder,
/// because a compromised recorder may put anything there, at any moment. All calls are relative to the open folder, never follow a symbolic
/// link, never wait for a pipe, and check what they opened instead of what they are about to open. An entry that cannot be used is a value
/// (<see cref="FileProblem"/>), an error of the disk is an <see cref="IOException"/>: a folder that cannot be read for a moment must never look like an
/// empty one. Not thread-safe.
/// </summary>
internal sealed partial class UntrustedFolder : IDisposable
{
    /// <summary>Entries of one folder that are listed. A day has 8,640 chunks.</summary>
    public const int MaxEntries = 20_000;

    private const uint OwnerReads = 0x100;
    private const uint OwnerWrites = 0x80;
    private const uint OwnerSearches = 0x40;
    private const uint OwnersFile = OwnerReads | OwnerWrites;
    private const uint OwnersFolder = OwnersFile | OwnerSearches;
    private const uint Permissions = 0xfff;

    private readonly SafeFileHandle _folder;

    private UntrustedFolder(SafeFileHandle folder, FileStatus status, string path)
    {
        _folder = folder;
        Path = path;
        WrittenAt = status.WrittenAt;
    }

    /// <summary>For messages only. The folder at this path may have changed.</summary>
    public string Path { get; }

    /// <summary>When an entry was last added, renamed or removed, seen when the folder was opened.</summary>
    public DateTimeOffset WrittenAt { get; }

    /// <param name="path">The folder. The path to it is trusted, the folder itself must be no symbolic link.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public static UntrustedFolder? Open(string path, out FileProblem problem) =>
        OpenHandle(path, out var status, out problem) is { } handle ? Restored(handle, status, path) : null;

    /// <summary>Opens a folder that no recorder can write to, such as the one that has the session folders. Its permissions stay as they are.</summary>
    /// <param name="path">The folder. The path to it is trusted, the folder itself must be no symbolic link.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public static UntrustedFolder? OpenTrusted(string path, out FileProblem problem) =>
        OpenHandle(path, out var status, out problem) is { } handle ? new(handle, status, path) : null;

    /// <summary>Opens the folder of a session.</summary>
    /// <param name="storage">The storage paths.</param>
    /// <param name="user">Owner of the bot.</param>
    /// <param name="id">The session.</param>
    /// <param name="problem">The reason why there is no result, for example <see cref="FileProblem.Missing"/>.</param>
    public static UntrustedFolder? Open(StorageLayout storage, UserId user, SessionId id, out FileProblem problem)
    {
        var folder = storage.SessionFolder(user, id);
        var ofUser = System.IO.Path.GetDirectoryName(folder)!;
        using var root = OpenTrusted(storage.TempRoot, out problem);
        using var parent = root?.OpenFolder(System.IO.Path.GetFileName(ofUser), out problem);
        return parent?.OpenFolder(System.IO.Path.GetFileName(folder), out problem);
    }

    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public UntrustedFolder? OpenFolder(string name, out FileProblem problem) =>
        OpenEntry(Bytes(name), EntryKind.Folder, out var status, out problem) is { } handle
            ? Restored(handle, status, System.IO.Path.Combine(Path, name))
            : null;

    /// <summary>Opens a regular file for reading.</summary>
    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public UntrustedFile? OpenFile(string name, out FileProblem problem) =>
        OpenEntry(Bytes(name), EntryKind.File, out var status, out problem) is { } handle
            ? new(handle, status, System.IO.Path.Combine(Path, name))
            : null;

    /// <summary>An entry as it is now; a symbolic link is not followed.</summary>
    /// <returns><see langword="null"/> if there is none.</returns>
    /// <exception cref="IOException">It cannot be examined.</exception>
    public UntrustedEntry? Find(string name) => TryExamine(Bytes(name), out var status) ? new(name, status) : null;

    /// <summary>Lists names in no particular order, at most <see cref="MaxEntries"/>. Cheaper than <see cref="List"/>.</summary>
    /// <param name="isComplete">Whether these are all entries.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyList<string> ListNames(out bool isComplete)
    {
        var names = Names().Take(MaxEntries + 1).Select(name => Text(name)).ToList();
        isComplete = names.Count <= MaxEntries;
        return names;
    }

    /// <summary>Lists the entries in no particular order, at most <see cref="MaxEntries"/>.</summary>
    /// <param name="isComplete">Whether these are all entries.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyList<UntrustedEntry> List(out bool isComplete)
    {
        var entries = new List<UntrustedEntry>();
        var seen = 0;
        foreach (var name in Names().Take(MaxEntries + 1))
        {
            seen++;
            // An entry that was removed in the meantime is skipped.
            if (TryExamine(name, out var status))
                entries.Add(new(Text(name), status));
        }

        isComplete = seen <= MaxEntries;
        return entries;
    }

    /// <summary>Its user and group now.</summary>
    public ContainerUser Owner => LinuxFiles.Status(_folder, out var status) == 0 ? new(status.Owner, status.Group) : throw Failed($"{Path} cannot be examined");

    /// <summary>The file system that it is on.</summary>
    public ulong Disk => LinuxFiles.Status(_folder, out var status) == 0 ? status.Device : throw Failed($"{Path} cannot be examined");

    /// <returns>The id of an entry's owner; <see langword="null"/> if there is no such entry.</returns>
    public uint? OwnerOf(string name) => LinuxFiles.Status(_folder, Bytes(name), out var status) == 0 ? status.Owner : null;

    /// <summary>Makes the manager the owner, so that no other process can add, rename or remove entries.</summary>
    public void TakeOver(uint group) => ContainerUser.TakeBack(_folder, group);

    public void Dispose() => _folder.Dispose();

    /// <summary>The names of all entries, each with the zero that ends it.</summary>
    private IEnumerable<byte[]> Names()
    {
        const int offsetOfSize = 16;
        const int offsetOfName = 19;
        LinuxFiles.Seek(_folder, 0, 0);
        var buffer = new byte[32 * 1024];
        while (ReadEntries(buffer) is > 0 and var read)
        {
            for (var at = 0; at < read; at += BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + offsetOfSize)))
            {
                var rest = buffer.AsSpan(at + offsetOfName);
                var name = rest[..(rest.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                    yield return name.ToArray();
            }
        }
    }

    /// <returns>Bytes read; 0 at the end, also of a folder that was removed.</returns>
    private int ReadEntries(byte[] buffer)
    {
        while (true)
        {
            if (LinuxFiles.ReadEntries(_folder, buffer, buffer.Length) is >= 0 and var read)
                return (int)read;
            if (LinuxFiles.LastError == Errors.Missing)
                return 0;
            if (LinuxFiles.LastError != Errors.Interrupted)
                throw Failed($"{Path} cannot be listed");
        }
    }

    /// <returns><see langword="false"/> if there is no such entry.</returns>
    /// <exception cref="IOException">It cannot be examined.</exception>
    private bool TryExamine(ReadOnlySpan<byte> name, out FileStatus status)
    {
        while (LinuxFiles.Status(_folder, name, out status) != 0)
        {
            if (LinuxFiles.LastError == Errors.Missing)
                return false;
            if (LinuxFiles.LastError != Errors.Interrupted)
                throw Failed($"{System.IO.Path.Combine(Path, Text(name))} cannot be examined");
        }

        return true;
    }

    private SafeFileHandle? OpenEntry(ReadOnlySpan<byte> name, EntryKind kind, out FileStatus status, out FileProblem problem)
    {
        var flags = LinuxFiles.NoFollow | LinuxFiles.NonBlocking | LinuxFiles.CloseOnExec | (kind is EntryKind.Folder ? LinuxFiles.FoldersOnly : 0);
        SafeFileHandle handle;
        do
            handle = new SafeFileHandle(LinuxFiles.Open(_folder, name, flags, 0), ownsHandle: true);
        while (handle.IsInvalid && LinuxFiles.LastError == Errors.Interrupted);
        var error = handle.IsInvalid ? LinuxFiles.LastError : 0;
        if (error == Errors.AccessDenied)
        {
            if (Reclaim(name, kind, flags, out var other) is { } reclaimed)
                handle = reclaimed;
            else if (other is { } found)
                error = found is EntryKind.SymbolicLink ? Errors.Link : kind is EntryKind.Folder ? Errors.NotAFolder : Errors.NoDevice;
        }

        var opened = Check(handle, error, kind, out status, out problem);
        // A manager that is root could read it, but not a process that it starts without privileges.
        if (opened is not null && kind is EntryKind.File && (status.Mode & OwnersFile) != OwnersFile)
            _ = LinuxFiles.ChangeMode(opened, status.Mode & Permissions | OwnersFile);
        // The kernel does not tell a link from a file where it expects a folder.
        if (problem is FileProblem.NotAFolder && LinuxFiles.Status(_folder, name, out var entry) == 0 && entry.Kind is EntryKind.SymbolicLink)
            problem = FileProblem.SymbolicLink;
        return opened;
    }

    /// <summary>
    /// A recorder may take all permissions from a file or folder of its own. If the manager owns it too, it restores the owner's permissions,
    /// through a descriptor, so that no other file can take its place.
    /// </summary>
    /// <param name="name">The entry.</param>
    /// <param name="kind">The expected kind.</param>
    /// <param name="flags">How to open it.</param>
    /// <param name="other">Its kind, if that is not the expected one.</param>
    /// <returns><see langword="null"/> if it has another kind, or the permissions cannot be restored.</returns>
    private SafeFileHandle? Reclaim(ReadOnlySpan<byte> name, EntryKind kind, int flags, out EntryKind? other)
    {
        other = null;
        using var entry = new SafeFileHandle(
            LinuxFiles.Open(_folder, name, LinuxFiles.PathOnly | LinuxFiles.NoFollow | LinuxFiles.CloseOnExec, 0), ownsHandle: true);
        if (entry.IsInvalid || LinuxFiles.Status(entry, out var status) != 0)
            return null;
        if (status.Kind != kind)
        {
            other = status.Kind;
            return null;
        }

        var path = $"/proc/self/fd/{entry.DangerousGetHandle()}";
        if (LinuxFiles.ChangeMode(path, status.Mode & Permissions | (kind is EntryKind.Folder ? OwnersFolder : OwnersFile)) != 0)
            return null;
        var reclaimed = new SafeFileHandle(LinuxFiles.Open(path, flags & ~LinuxFiles.NoFollow), ownsHandle: true);
        if (!reclaimed.IsInvalid)
            return reclaimed;
        reclaimed.Dispose();
        return null;
    }

    private static SafeFileHandle? OpenHandle(string path, out FileStatus status, out FileProblem problem)
    {
        var flags = LinuxFiles.FoldersOnly | LinuxFiles.NoFollow | LinuxFiles.NonBlocking | LinuxFiles.CloseOnExec;
        SafeFileHandle handle;
        do
            handle = new SafeFileHandle(LinuxFiles.Open(path, flags), ownsHandle: true);
        while (handle.IsInvalid && LinuxFiles.LastError == Errors.Interrupted);
        return Check(handle, handle.IsInvalid ? LinuxFiles.LastError : 0, EntryKind.Folder, out status, out problem);
    }

    /// <summary>Restores the owner's permissions: without them a manager that is not root can open the folder, but nothing in it.</summary>
    private static UntrustedFolder Restored(SafeFileHandle folder, FileStatus status, string path)
    {
        if ((status.Mode & OwnersFolder) != OwnersFolder)
            _ = LinuxFiles.ChangeMode(folder, status.Mode & Permissions | OwnersFolder);
        return new(folder, status, path);
    }

    /// <param name="handle">The entry, open or not.</param>
    /// <param name="error">The error of opening it. Later calls have replaced the last error.</param>
    /// <param name="kind">The expected kind.</param>
    /// <param name="status">The status of the open entry.</param>
    /// <param name="problem">The reason why there is no result.</param>
    private static SafeFileHandle? Check(SafeFileHandle handle, int error, EntryKind kind, out FileStatus status, out FileProblem problem)
    {
        status = default;
        problem = handle.IsInvalid ? Errors.ProblemOf(error)
            : LinuxFiles.Status(handle, out status) != 0 ? Errors.ProblemOf(LinuxFiles.LastError)
            : status.Kind == kind ? FileProblem.None
            : kind is EntryKind.File ? FileProblem.NotAFile
            : FileProblem.NotAFolder;
        if (problem is FileProblem.None)
            return handle;
        handle.Dispose();
        return null;
    }

    /// <summary>The name as the kernel takes it. A name with a slash or a zero would be another name or a path.</summary>
    private static byte[] Bytes(string name) => name.AsSpan().IndexOfAny('/', '\0') < 0
        ? Encoding.UTF8.GetBytes(name + '\0')
        : throw new ArgumentException($"'{name}' is not the name of an entry.", nameof(name));

    /// <summary>
    /// The name as a log, a manifest or a page may show it. Bytes that are no text, and characters that a terminal would obey, become U+FFFD; no honest
    /// recorder uses them, and the entry cannot be opened by this name.
    /// </summary>
    private static string Text(ReadOnlySpan<byte> name) => DisplayText.Clean(Encoding.UTF8.GetString(name[..^1]), "\uFFFD");

    /// <summary>Error numbers of Linux.</summary>
    internal static class Errors
    {
        public const int NotPermitted = 1;
        public const int Missing = 2;
        public const int Interrupted = 4;
        public const int NoDevice = 6;
        public const int TryAgain = 11;
        public const int AccessDenied = 13;
        public const int Exists = 17;
        public const int NotAFolder = 20;
        public const int NameTooLong = 36;
        public const int Link = 40;

        /// <summary>An error that a recorder can have caused.</summary>
        /// <exception cref="IOException">
        /// The error is not about this entry: a disk or network error, no memory, or too many open files. Another attempt may succeed.
        /// </exception>
        public static FileProblem ProblemOf(int error) => error switch
        {
            // A lease (F_SETLEASE) keeps others from opening a file.
            NotPermitted or AccessDenied or TryAgain => FileProblem.AccessDenied,
            Missing => FileProblem.Missing,
            // Opening a socket, or a device that does not exist.
            NoDevice => FileProblem.NotAFile,
            NotAFolder => FileProblem.NotAFolder,
            NameTooLong => FileProblem.NameTooLong,
            Link => FileProblem.SymbolicLink,
            _ => throw new IOException(Marshal.GetPInvokeErrorMessage(error), error),
        };
    }
}
