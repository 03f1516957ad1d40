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
/// (<see cref="FileProblem"/>). Not thread-safe.
/// </summary>
internal sealed class UntrustedFolder : IDisposable
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
        // Without these bits a manager that is not root can open the folder, but nothing in it.
        if ((status.Mode & OwnersFolder) != OwnersFolder)
            _ = LinuxFiles.ChangeMode(folder, status.Mode & Permissions | OwnersFolder);
    }

    /// <summary>For messages only. What lies at this path may have changed.</summary>
    public string Path { get; }

    /// <summary>When an entry was last added, renamed or removed, seen when the folder was opened.</summary>
    public DateTimeOffset WrittenAt { get; }

    /// <param name="path">The folder. The path to it is trusted, the folder itself must be no symbolic link.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public static UntrustedFolder? Open(string path, out FileProblem problem)
    {
        var flags = LinuxFiles.FoldersOnly | LinuxFiles.NoFollow | LinuxFiles.NonBlocking | LinuxFiles.CloseOnExec;
        var handle = new SafeFileHandle(LinuxFiles.Open(path, flags), ownsHandle: true);
        return Opened(handle, path, out problem);
    }

    /// <summary>Opens the folder of a session.</summary>
    /// <param name="storage">The storage paths.</param>
    /// <param name="user">Owner of the bot.</param>
    /// <param name="id">The session.</param>
    /// <param name="problem">The reason why there is no result, for example <see cref="FileProblem.Missing"/>.</param>
    public static UntrustedFolder? Open(StorageLayout storage, UserId user, SessionId id, out FileProblem problem)
    {
        var folder = storage.SessionFolder(user, id);
        var ofUser = System.IO.Path.GetDirectoryName(folder)!;
        using var root = Open(storage.TempRoot, out problem);
        using var parent = root?.OpenFolder(System.IO.Path.GetFileName(ofUser), out problem);
        return parent?.OpenFolder(System.IO.Path.GetFileName(folder), out problem);
    }

    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public UntrustedFolder? OpenFolder(string name, out FileProblem problem) =>
        OpenEntry(Bytes(name), EntryKind.Folder, out var status, out problem) is { } handle
            ? new(handle, status, System.IO.Path.Combine(Path, name))
            : null;

    /// <summary>Opens a regular file for reading.</summary>
    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public UntrustedFile? OpenFile(string name, out FileProblem problem) =>
        OpenEntry(Bytes(name), EntryKind.File, out var status, out problem) is { } handle
            ? new(handle, status, System.IO.Path.Combine(Path, name))
            : null;

    /// <summary>An entry as it is now; a symbolic link is not followed.</summary>
    /// <returns><see langword="null"/> if there is none, or it cannot be examined.</returns>
    public UntrustedEntry? Find(string name) =>
        LinuxFiles.Status(_folder, Bytes(name), out var status) == 0 ? new(name, status) : null;

    /// <summary>Lists the entries in no particular order, at most <see cref="MaxEntries"/>.</summary>
    public UntrustedListing List()
    {
        var entries = new List<UntrustedEntry>();
        var isComplete = true;
        foreach (var name in Names())
        {
            if (entries.Count == MaxEntries)
            {
                isComplete = false;
                break;
            }

            // An entry that was removed in the meantime is skipped.
            if (LinuxFiles.Status(_folder, name, out var status) == 0)
                entries.Add(new(Encoding.UTF8.GetString(name.AsSpan(0, name.Length - 1)), status));
        }

        return new(entries, isComplete);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The names of all entries, each with the zero that ends it.</summary>
    private IEnumerable<byte[]> Names()
    {
        const int offsetOfSize = 16;
        const int offsetOfName = 19;
        LinuxFiles.Seek(_folder, 0, 0);
        var buffer = new byte[32 * 1024];
        while ((int)LinuxFiles.ReadEntries(_folder, buffer, buffer.Length) is > 0 and var read)
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

    private SafeFileHandle? OpenEntry(ReadOnlySpan<byte> name, EntryKind kind, out FileStatus status, out FileProblem problem)
    {
        var flags = LinuxFiles.NoFollow | LinuxFiles.NonBlocking | LinuxFiles.CloseOnExec | (kind is EntryKind.Folder ? LinuxFiles.FoldersOnly : 0);
        var handle = new SafeFileHandle(LinuxFiles.Open(_folder, name, flags, 0), ownsHandle: true);
        if (handle.IsInvalid && LinuxFiles.LastError == Errors.AccessDenied && Reclaim(name, kind, flags) is { IsInvalid: false } reclaimed)
            handle = reclaimed;
        return Check(handle, kind, out status, out problem);
    }

    /// <summary>
    /// A recorder may take all permissions from a file or folder of its own. If the manager owns it too, it restores the owner's permissions,
    /// through a descriptor, so that no other file can take its place.
    /// </summary>
    private SafeFileHandle? Reclaim(ReadOnlySpan<byte> name, EntryKind kind, int flags)
    {
        using var entry = new SafeFileHandle(
            LinuxFiles.Open(_folder, name, LinuxFiles.PathOnly | LinuxFiles.NoFollow | LinuxFiles.CloseOnExec, 0), ownsHandle: true);
        if (entry.IsInvalid || LinuxFiles.Status(entry, out var status) != 0 || status.Kind != kind)
            return null;
        var path = $"/proc/self/fd/{entry.DangerousGetHandle()}";
        return LinuxFiles.ChangeMode(path, status.Mode & Permissions | (kind is EntryKind.Folder ? OwnersFolder : OwnersFile)) == 0
            ? new(LinuxFiles.Open(path, flags & ~LinuxFiles.NoFollow), ownsHandle: true)
            : null;
    }

    private static UntrustedFolder? Opened(SafeFileHandle handle, string path, out FileProblem problem) =>
        Check(handle, EntryKind.Folder, out var status, out problem) is { } folder ? new(folder, status, path) : null;

    private static SafeFileHandle? Check(SafeFileHandle handle, EntryKind kind, out FileStatus status, out FileProblem problem)
    {
        status = default;
        problem = handle.IsInvalid || LinuxFiles.Status(handle, out status) != 0 ? Errors.ProblemOf(LinuxFiles.LastError)
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

    private static class Errors
    {
        public const int AccessDenied = 13;

        /// <exception cref="IOException">The error is not about this entry: the manager has no memory or too many open files.</exception>
        public static FileProblem ProblemOf(int error) => error switch
        {
            1 or AccessDenied => FileProblem.AccessDenied,
            2 => FileProblem.Missing,
            // Opening a socket, or a device that does not exist.
            6 => FileProblem.NotAFile,
            20 => FileProblem.NotAFolder,
            36 => FileProblem.NameTooLong,
            40 => FileProblem.SymbolicLink,
            12 or 23 or 24 => throw new IOException(Marshal.GetPInvokeErrorMessage(error)),
            _ => FileProblem.ReadError,
        };
    }
}

/// <summary>A regular file in an <see cref="UntrustedFolder"/>, open for reading. A live recorder may still change its content and length.</summary>
internal sealed class UntrustedFile : IDisposable
{
    private readonly SafeFileHandle _file;

    internal UntrustedFile(SafeFileHandle file, FileStatus status, string path)
    {
        _file = file;
        Path = path;
        Inode = status.Inode;
        WrittenAt = status.WrittenAt;
    }

    /// <summary>For messages only. What lies at this path may have changed.</summary>
    public string Path { get; }

    /// <summary>Identifies the file: another number under the same name is another file.</summary>
    public ulong Inode { get; }

    /// <summary>When the file was last written, seen when it was opened.</summary>
    public DateTimeOffset WrittenAt { get; }

    /// <summary>Bytes, measured now.</summary>
    public long Length => LinuxFiles.Status(_file, out var status) == 0 ? status.Length : 0;

    /// <summary>Reads once, from an offset. To read in turns, keep the offset and pass a buffer of the size that one turn may take.</summary>
    /// <returns>Bytes read; 0 at the end of the file or beyond it.</returns>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(_file, buffer, offset);

    /// <summary>A stream of the first bytes of the file. It ends after <paramref name="maxBytes"/>, even if the file grows. Ends with this object.</summary>
    public Stream OpenStream(long maxBytes) => new Content(this, maxBytes);

    /// <summary>Copies the first <paramref name="maxBytes"/> bytes.</summary>
    /// <returns>Bytes copied.</returns>
    /// <exception cref="IOException">The file cannot be read, or <paramref name="target"/> cannot be written.</exception>
    public long CopyTo(Stream target, long maxBytes)
    {
        using var content = OpenStream(maxBytes);
        content.CopyTo(target);
        return content.Position;
    }

    public void Dispose() => _file.Dispose();

    private sealed class Content(UntrustedFile file, long maxBytes) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            var read = file.Read(buffer[..(int)Math.Min(buffer.Length, maxBytes - Position)], Position);
            Position += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <param name="Entries">The entries, in no particular order.</param>
/// <param name="IsComplete">Whether these are all entries.</param>
internal sealed record UntrustedListing(IReadOnlyList<UntrustedEntry> Entries, bool IsComplete);

/// <summary>An entry of a folder when it was listed. It may be something else when it is opened.</summary>
/// <param name="Name">Its name. A name that is no valid text has replacement characters, and cannot be opened.</param>
/// <param name="Kind">What it is; a symbolic link is not followed.</param>
/// <param name="Bytes">Length of a file.</param>
/// <param name="BytesOnDisk">Space that it takes, without the entries of a folder.</param>
/// <param name="WrittenAt">When it was last written.</param>
internal sealed record UntrustedEntry(string Name, EntryKind Kind, long Bytes, long BytesOnDisk, DateTimeOffset WrittenAt)
{
    internal UntrustedEntry(string name, FileStatus status) : this(name, status.Kind, status.Length, status.Blocks * 512, status.WrittenAt)
    {
    }
}

internal enum EntryKind
{
    File,
    Folder,
    SymbolicLink,

    /// <summary>A pipe, socket or device.</summary>
    Other,
}

/// <summary>Reason why an entry of an <see cref="UntrustedFolder"/> cannot be used. It concerns that session only.</summary>
internal enum FileProblem
{
    None,

    Missing,

    SymbolicLink,

    /// <summary>A folder, pipe, socket or device instead of a file.</summary>
    NotAFile,

    /// <summary>Something else instead of a folder.</summary>
    NotAFolder,

    /// <summary>The recorder took away the permissions, and the manager may not restore them.</summary>
    AccessDenied,

    NameTooLong,

    ReadError,
}
