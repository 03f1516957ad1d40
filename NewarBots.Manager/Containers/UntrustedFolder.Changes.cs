using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NewarBots.Manager.Containers;

/// <summary>The changes that the manager makes in a folder that a recorder can write to.</summary>
internal sealed partial class UntrustedFolder
{
    /// <summary>Folders that are looked into while freeing space: a session has <c>evidence/1_denied_by_host</c>.</summary>
    private const int MaxDepth = 3;

    /// <summary>Opens a folder that no recorder can write to, and creates it if it is missing, with its parents.</summary>
    /// <param name="path">The folder. The path to it is trusted, the folder itself must be no symbolic link.</param>
    /// <exception cref="IOException">It cannot be created. The message names the path.</exception>
    public static UntrustedFolder CreateTrusted(string path)
    {
        if (OpenTrusted(path, out var problem) is { } existing)
            return existing;
        if (problem is FileProblem.Missing)
            Directory.CreateDirectory(path);
        return OpenTrusted(path, out problem) ?? throw Refused(path, problem);
    }

    /// <summary>Deletes a folder with its content, however deep it is. Does nothing if it is missing.</summary>
    /// <param name="path">The folder. The path to it is trusted.</param>
    /// <exception cref="IOException">Something in it cannot be deleted.</exception>
    public static void Delete(string path)
    {
        using var parent = OpenTrusted(System.IO.Path.GetDirectoryName(path)!, out var problem);
        if (problem is not (FileProblem.None or FileProblem.Missing))
            throw Refused(path, problem);
        if (parent?.Remove(System.IO.Path.GetFileName(path), RemovalBudget.Until(CancellationToken.None)) is false)
            throw new IOException($"{path} cannot be deleted: check its owner and permissions.");
    }

    /// <summary>Opens a folder and creates it if it is missing.</summary>
    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="mode">Permissions of a new folder.</param>
    /// <exception cref="IOException">It cannot be created. The message names the path.</exception>
    public UntrustedFolder CreateFolder(string name, UnixFileMode mode)
    {
        var path = System.IO.Path.Combine(Path, name);
        if (LinuxFiles.MakeFolder(_folder, Bytes(name), (uint)mode) != 0 && LinuxFiles.LastError != Errors.Exists)
            throw Failed($"{path} cannot be created");
        return OpenFolder(name, out var problem) ?? throw Refused(path, problem);
    }

    /// <summary>Gives the folder to a recorder, which alone can read it.</summary>
    /// <exception cref="IOException">The owner or the permissions cannot be changed.</exception>
    public void GiveTo(ContainerUser owner)
    {
        if (LinuxFiles.ChangeMode(_folder, OwnersFolder) != 0)
            throw Failed($"The permissions of {Path} cannot be changed");
        owner.Own(_folder, Path);
    }

    /// <summary>
    /// Gives the folder and some of its regular files to a user, as far as they have another owner. Does nothing if the manager does not run as root.
    /// </summary>
    /// <param name="owner">The user.</param>
    /// <param name="names">Names of entries. Those that are missing or no regular files are skipped.</param>
    /// <exception cref="IOException">The folder cannot be read, or an owner cannot be changed.</exception>
    public void GiveFilesTo(ContainerUser owner, IEnumerable<string> names)
    {
        if (!ContainerUser.IsRoot)
            return;
        if (LinuxFiles.Status(_folder, out var own) != 0 || own.Owner != owner.Uid)
            GiveTo(owner);
        foreach (var name in names.Select(Bytes))
        {
            if (!TryExamine(name, out var found) || found.Kind is not EntryKind.File || found.Owner == owner.Uid)
                continue;
            using var file = OpenEntry(name, EntryKind.File, out var status, out _);
            // A file with another name as well may belong elsewhere.
            if (file is not null && status.Links == 1)
                owner.Own(file, System.IO.Path.Combine(Path, Text(name)));
        }
    }

    /// <summary>Writes a file that only its owner can read, and that appears whole. Replaces an entry of that name, and never follows it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string name, string text, ContainerUser owner)
    {
        var path = System.IO.Path.Combine(Path, name);
        var beside = Bytes(Unfinished(name));
        LinuxFiles.Unlink(_folder, beside, 0);
        using var handle = new SafeFileHandle(
            LinuxFiles.Open(
                _folder, beside, LinuxFiles.WriteOnly | LinuxFiles.CreateNew | LinuxFiles.NoFollow | LinuxFiles.CloseOnExec, OwnersFile),
            ownsHandle: true);
        if (handle.IsInvalid)
            throw Failed($"{path} cannot be created");
        try
        {
            RandomAccess.Write(handle, Encoding.UTF8.GetBytes(text), 0);
            owner.Own(handle, path);
            RandomAccess.FlushToDisk(handle);
            if (LinuxFiles.Rename(_folder, beside, _folder, Bytes(name)) != 0)
                throw Failed($"{path} cannot be written");
        }
        catch (IOException)
        {
            LinuxFiles.Unlink(_folder, beside, 0);
            throw;
        }
    }

    /// <summary>Removes a file that <see cref="Write"/> wrote, also one that a crash left unfinished.</summary>
    public void RemoveWritten(string name)
    {
        Remove(name, RemovalBudget.Small());
        Remove(Unfinished(name), RemovalBudget.Small());
    }

    /// <summary>The name of a file while <see cref="Write"/> writes it.</summary>
    public static string Unfinished(string name) => $".{name}";

    /// <summary>
    /// Moves a regular file out of the folder, and makes it the manager's own, with the group of its new folder. After the move, a file with another name
    /// as well is deleted, and so is anything else that took its place meanwhile.
    /// </summary>
    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="target">Path on the same volume; an existing file is replaced.</param>
    /// <returns>Whether the file and the folder of its target were there, and it was moved.</returns>
    /// <exception cref="IOException">The file cannot be moved.</exception>
    public bool MoveFile(string name, string target)
    {
        using var folder = OpenTrusted(System.IO.Path.GetDirectoryName(target)!, out _);
        if (folder is null)
            return false;
        // Opening it restores permissions that the recorder took away.
        using (var file = OpenFile(name, out _))
        {
            if (file is null)
                return false;
        }

        if (LinuxFiles.Rename(_folder, Bytes(name), LinuxFiles.WorkingFolder, Encoding.UTF8.GetBytes(target + '\0')) != 0)
            return LinuxFiles.LastError == Errors.Missing ? false : throw Failed($"{name} in {Path} cannot be moved to {target}");
        var moved = System.IO.Path.GetFileName(target);
        using (var file = folder.OpenFile(moved, out _))
        {
            if (file?.TakeOver(folder.Owner.Gid) is true)
                return true;
        }

        folder.Remove(moved, RemovalBudget.Small());
        return false;
    }

    /// <summary>Moves a folder, with its content, to another folder on the same volume. A symbolic link is not moved.</summary>
    /// <returns>Whether the folder was there.</returns>
    /// <exception cref="IOException">It cannot be moved, or is a symbolic link.</exception>
    public bool MoveFolder(string name, UntrustedFolder target, string newName)
    {
        var path = System.IO.Path.Combine(Path, name);
        // Moving a folder writes to it, so its permissions are restored first.
        using (var folder = OpenFolder(name, out var problem))
        {
            if (problem is FileProblem.Missing)
                return false;
            if (folder is null && problem is not FileProblem.AccessDenied)
                throw Refused(path, problem);
        }

        if (LinuxFiles.Rename(_folder, Bytes(name), target._folder, Bytes(newName)) == 0)
            return true;
        return LinuxFiles.LastError == Errors.Missing ? false : throw Failed($"{path} cannot be moved to {target.Path}");
    }

    /// <summary>Removes an entry; a folder with its content.</summary>
    /// <param name="name">Name of an entry, not a path.</param>
    /// <param name="budget">Once it is used up, the rest stays.</param>
    /// <returns>Whether it is gone.</returns>
    public bool Remove(string name, RemovalBudget budget) => Remove(Bytes(name), budget);

    /// <summary>Removes the folder of this name if it is empty.</summary>
    public void RemoveIfEmpty(string name) => LinuxFiles.Unlink(_folder, Bytes(name), LinuxFiles.RemoveFolder);

    /// <summary>
    /// Removes all entries. Folders in folders are moved up before they are emptied, so that neither the stack nor the number of open
    /// folders grows with the depth.
    /// </summary>
    /// <returns>Whether the folder is empty.</returns>
    public bool Empty(RemovalBudget budget)
    {
        bool hasProgress;
        var prefix = RandomNumberGenerator.GetHexString(16);
        var moved = 0;
        do
        {
            hasProgress = false;
            var isEmpty = true;
            foreach (var name in Names())
            {
                isEmpty = false;
                if (!budget.TryTake())
                    return false;
                if (!TryUnlink(name))
                {
                    using var nested = OpenFolder(name);
                    if (nested?.MoveUp(this, prefix, ref moved, budget) is not true || !TryUnlink(name))
                        continue;
                }

                hasProgress = true;
            }

            if (isEmpty)
                return true;
        }
        while (hasProgress);
        return false;
    }

    /// <summary>Removes entries, the largest first, until enough space is free.</summary>
    /// <param name="bytes">Space to free.</param>
    /// <param name="isNeeded">
    /// Whether an entry, given its path from this folder and itself, must stay. Unneeded folders are removed as a whole; needed ones are
    /// searched.
    /// </param>
    /// <param name="budget">Ends the work early.</param>
    /// <returns>The bytes freed.</returns>
    public long Free(long bytes, Func<string, UntrustedEntry, bool> isNeeded, RemovalBudget budget)
    {
        var freed = 0L;
        bool hasProgress;
        do
        {
            hasProgress = false;
            var unneeded = new List<Unneeded>();
            Collect([], unneeded, isNeeded, budget);
            foreach (var entry in unneeded.OrderByDescending(entry => entry.Bytes))
            {
                if (freed >= bytes)
                    break;
                if (!Remove(entry, budget))
                    continue;
                freed += entry.Bytes;
                hasProgress = true;
            }
        }
        while (freed < bytes && hasProgress);
        return freed;
    }

    /// <summary>Space that all entries take, as far as they are searched.</summary>
    /// <param name="budget">Ends the work early.</param>
    /// <param name="isUnusual">
    /// Whether a folder is nested more deeply, or has more entries, than those of an honest recorder, or all folders together have more entries
    /// than the budget. The rest is not measured.
    /// </param>
    public long Measure(RemovalBudget budget, out bool isUnusual)
    {
        isUnusual = false;
        var bytes = Measure(depth: 1, budget, ref isUnusual);
        isUnusual |= budget.IsUsedUp;
        return bytes;
    }

    private long Measure(int depth, RemovalBudget budget, ref bool isUnusual)
    {
        var bytes = 0L;
        var seen = 0;
        foreach (var name in Names())
        {
            if (!budget.TryTake())
                break;
            isUnusual |= ++seen > MaxEntries;
            if (LinuxFiles.Status(_folder, name, out var status) != 0)
                continue;
            var entry = new UntrustedEntry(Text(name), status);
            if (entry.Kind is not EntryKind.Folder)
            {
                bytes += entry.BytesOnDisk;
                continue;
            }

            isUnusual |= depth == MaxDepth;
            using var folder = depth < MaxDepth ? OpenFolder(name) : null;
            bytes += folder?.Measure(depth + 1, budget, ref isUnusual) ?? 0;
        }

        return bytes;
    }

    private void Collect(string[] parents, List<Unneeded> found, Func<string, UntrustedEntry, bool> isNeeded, RemovalBudget budget)
    {
        foreach (var name in Names())
        {
            if (!budget.TryTake())
                return;
            if (LinuxFiles.Status(_folder, name, out var status) != 0)
                continue;
            var entry = new UntrustedEntry(Text(name), status);
            if (!isNeeded(string.Join('/', [.. parents, entry.Name]), entry))
                found.Add(new(parents, name, entry.Kind is EntryKind.Folder ? Measure(name, budget) : entry.BytesOnDisk));
            else if (entry.Kind is EntryKind.Folder && parents.Length < MaxDepth - 1)
            {
                using var folder = OpenFolder(name);
                folder?.Collect([.. parents, entry.Name], found, isNeeded, budget);
            }
        }
    }

    private long Measure(byte[] name, RemovalBudget budget)
    {
        using var folder = OpenFolder(name);
        return folder?.Measure(budget, out _) ?? 0;
    }

    private bool Remove(Unneeded entry, RemovalBudget budget)
    {
        if (entry.Parents is not [var first, .. var rest])
            return Remove(entry.Name, budget);
        using var folder = OpenFolder(first, out _);
        return folder?.Remove(entry with { Parents = rest }, budget) is true;
    }

    private bool Remove(byte[] name, RemovalBudget budget)
    {
        if (TryUnlink(name))
            return true;
        using var folder = OpenFolder(name);
        return folder?.Empty(budget) is true && TryUnlink(name);
    }

    /// <returns>Whether all entries are gone.</returns>
    private bool MoveUp(UntrustedFolder top, string prefix, ref int moved, RemovalBudget budget)
    {
        var isEmpty = true;
        foreach (var name in Names())
        {
            if (!budget.TryTake())
                return false;
            if (TryUnlink(name))
                continue;
            // Opening it restores the permissions that moving it needs.
            OpenFolder(name)?.Dispose();
            isEmpty &= LinuxFiles.Rename(_folder, name, top._folder, Bytes($"{prefix}-{moved++}")) == 0;
        }

        return isEmpty;
    }

    private UntrustedFolder? OpenFolder(byte[] name) =>
        OpenEntry(name, EntryKind.Folder, out var status, out _) is { } handle ? Restored(handle, status, System.IO.Path.Combine(Path, Text(name))) : null;

    /// <returns>Whether the entry is gone. A folder stays unless it is empty.</returns>
    private bool TryUnlink(ReadOnlySpan<byte> name) =>
        LinuxFiles.Unlink(_folder, name, 0) == 0 || LinuxFiles.LastError == Errors.Missing
        || LinuxFiles.Unlink(_folder, name, LinuxFiles.RemoveFolder) == 0 || LinuxFiles.LastError == Errors.Missing;

    private static IOException Refused(string path, FileProblem problem) => new($"{path} cannot be opened ({problem}).");

    private static IOException Failed(string what)
    {
        var error = LinuxFiles.LastError;
        return new($"{what}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    private sealed record Unneeded(string[] Parents, byte[] Name, long Bytes);
}

/// <summary>Limits how long a removal may keep its caller waiting.</summary>
/// <param name="entries">Entries that may be touched.</param>
/// <param name="longest">Time that it may take.</param>
/// <param name="time">Measures the time.</param>
/// <param name="cancellation">Ends it early.</param>
internal sealed class RemovalBudget(long entries, TimeSpan longest, TimeProvider? time = null, CancellationToken cancellation = default)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly long _begun = (time ?? TimeProvider.System).GetTimestamp();
    private long _left = entries;

    /// <summary>For a caller that waits: a day's chunks, or one second.</summary>
    public static RemovalBudget Small() => new(20_000, TimeSpan.FromSeconds(1));

    /// <summary>For all entries that a session can have, or two seconds.</summary>
    public static RemovalBudget OfFolder(TimeProvider? time = null) => new(500_000, TimeSpan.FromSeconds(2), time);

    /// <summary>For background work.</summary>
    public static RemovalBudget Until(CancellationToken cancellation) => new(long.MaxValue, TimeSpan.FromHours(1), cancellation: cancellation);

    /// <summary>More entries were to be touched than may be.</summary>
    public bool IsUsedUp => _left < 0;

    /// <summary>The time was over before the work was done.</summary>
    public bool IsLate { get; private set; }

    public bool TryTake()
    {
        if (_left-- <= 0 || cancellation.IsCancellationRequested)
            return false;
        IsLate |= _time.GetElapsedTime(_begun) >= longest;
        return !IsLate;
    }
}
