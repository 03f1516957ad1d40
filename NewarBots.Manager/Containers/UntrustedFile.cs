using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NewarBots.Manager.Containers;

/// <summary>A regular file in an <see cref="UntrustedFolder"/>, open for reading. A live recorder may still change its content and length.</summary>
internal sealed class UntrustedFile : IDisposable
{
    /// <summary>0640.</summary>
    private const uint MostOfFinished = 0x1a0;

    private readonly SafeFileHandle _file;

    internal UntrustedFile(SafeFileHandle file, FileStatus status, string path)
    {
        _file = file;
        Path = path;
        Inode = status.Inode;
        WrittenAt = status.WrittenAt;
    }

    /// <summary>Opens a regular file by its path.</summary>
    /// <param name="path">The path to its folder is trusted, the folder and the file are not.</param>
    /// <param name="problem">The reason why there is no result.</param>
    public static UntrustedFile? Open(string path, out FileProblem problem)
    {
        using var folder = UntrustedFolder.Open(System.IO.Path.GetDirectoryName(path)!, out problem);
        return folder?.OpenFile(System.IO.Path.GetFileName(path), out problem);
    }

    /// <summary>For messages only. The file at this path may have changed.</summary>
    public string Path { get; }

    /// <summary>Identifies the file: another number under the same name is another file.</summary>
    public ulong Inode { get; }

    /// <summary>When the file was last written, seen when it was opened.</summary>
    public DateTimeOffset WrittenAt { get; }

    /// <summary>Bytes, measured now.</summary>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public long Length => RandomAccess.GetLength(_file);

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

    /// <summary>Makes the manager the owner, and takes all permissions from others (mode 0640 or less).</summary>
    /// <returns><see langword="false"/> if the file has another name as well, and so may belong elsewhere.</returns>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public bool TakeOver(uint group)
    {
        if (LinuxFiles.Status(_file, out var status) != 0)
            throw new IOException($"{Path} cannot be examined: {Marshal.GetPInvokeErrorMessage(LinuxFiles.LastError)}.", LinuxFiles.LastError);
        if (status.Links != 1)
            return false;
        ContainerUser.TakeBack(_file, group);
        _ = LinuxFiles.ChangeMode(_file, status.Mode & MostOfFinished);
        return true;
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

/// <summary>An entry of a folder when it was listed. It may be something else when it is opened.</summary>
/// <param name="Name">Its name. Characters that are no plain text are replaced, and such an entry cannot be opened by its name.</param>
/// <param name="Kind">Its kind; a symbolic link is not followed.</param>
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

    /// <summary>The disk cannot read it now. Only in lists of sessions; anything else throws.</summary>
    ReadError,
}
