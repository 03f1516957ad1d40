using System.Runtime.InteropServices;

namespace NewarBots.Manager.Containers;

/// <summary>
/// Calls of the Linux kernel that work relative to an open folder, so that a path cannot change between a check and its use. The numbers and
/// layouts are those of x64 and arm64. Names are bytes that end with a zero, because a name on disk need not be valid text.
/// </summary>
internal static unsafe partial class LinuxFiles
{
    public const int WriteOnly = 0x1;
    public const int CreateNew = 0x40 | 0x80;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x8_0000;
    public const int PathOnly = 0x20_0000;

    /// <summary>Stands for the working folder where a call expects an open folder.</summary>
    public const int WorkingFolder = -100;

    public const int RemoveFolder = 0x200;

    private const int EmptyPath = 0x1000;
    private const int LinkItself = 0x100;
    private const uint BasicFields = 0x7ff;

    public static int FoldersOnly => IsArm ? 0x4000 : 0x1_0000;

    public static int NoFollow => IsArm ? 0x8000 : 0x2_0000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public static int LastError => Marshal.GetLastPInvokeError();

    /// <returns>0, or -1 with <see cref="LastError"/>.</returns>
    public static int Status(SafeHandle file, out FileStatus status)
    {
        fixed (FileStatus* into = &status)
        {
            ReadOnlySpan<byte> none = [0];
            fixed (byte* name = none)
                return Statx(file, name, EmptyPath, BasicFields, into);
        }
    }

    /// <summary>The status of an entry. A symbolic link is not followed.</summary>
    /// <returns>0, or -1 with <see cref="LastError"/>.</returns>
    public static int Status(SafeHandle folder, ReadOnlySpan<byte> name, out FileStatus status)
    {
        fixed (FileStatus* into = &status)
        fixed (byte* entry = name)
            return Statx(folder, entry, LinkItself, BasicFields, into);
    }

    /// <summary>The status of the file to which a path leads, through symbolic links.</summary>
    /// <returns>0, or -1 with <see cref="LastError"/>.</returns>
    public static int StatusOfTarget(string path, out FileStatus status)
    {
        fixed (FileStatus* into = &status)
            return Statx(WorkingFolder, path, 0, BasicFields, into);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int Open(SafeHandle folder, ReadOnlySpan<byte> name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MakeFolder(SafeHandle parent, ReadOnlySpan<byte> name, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int Unlink(SafeHandle folder, ReadOnlySpan<byte> name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static partial int Rename(SafeHandle folder, ReadOnlySpan<byte> name, SafeHandle newFolder, ReadOnlySpan<byte> newName);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static partial int Rename(SafeHandle folder, ReadOnlySpan<byte> name, int newFolder, ReadOnlySpan<byte> newPath);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int ChangeMode(SafeHandle file, uint mode);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    public static partial int ChangeOwner(SafeHandle file, uint owner, uint group);

    /// <summary>Reads entries of a folder: inode (8 bytes), offset (8), size of the record (2), kind (1), name. Advances the position.</summary>
    /// <returns>Bytes read, 0 at the end, or -1 with <see cref="LastError"/>.</returns>
    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    public static partial nint ReadEntries(SafeHandle folder, Span<byte> buffer, nint length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeHandle folder, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int Statx(SafeHandle folder, byte* name, int flags, uint fields, FileStatus* status);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint fields, FileStatus* status);
}

/// <summary>The kernel's <c>struct statx</c>, which is the same on all architectures.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    [FieldOffset(16)]
    public uint Links;

    [FieldOffset(20)]
    public uint Owner;

    [FieldOffset(24)]
    public uint Group;

    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(40)]
    public long Length;

    /// <summary>In blocks of 512 bytes.</summary>
    [FieldOffset(48)]
    public long Blocks;

    [FieldOffset(112)]
    public long WrittenSeconds;

    [FieldOffset(120)]
    public uint WrittenNanoseconds;

    /// <summary>The file system that it is on.</summary>
    [FieldOffset(136)]
    public ulong Device;

    public readonly EntryKind Kind => (Mode & 0xf000) switch
    {
        0x8000 => EntryKind.File,
        0x4000 => EntryKind.Folder,
        0xa000 => EntryKind.SymbolicLink,
        _ => EntryKind.Other,
    };

    /// <summary>When it was last written. A time that no calendar holds is the earliest or latest one.</summary>
    public readonly DateTimeOffset WrittenAt => DateTimeOffset
        .FromUnixTimeSeconds(Math.Clamp(WrittenSeconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds() - 1))
        .AddTicks(WrittenNanoseconds / 100);
}
