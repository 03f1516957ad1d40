using System.Globalization;
using System.Runtime.InteropServices;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The files that processes have deleted and still use: they take space on the disk and are in no folder. Needs root, and the processes of the host.
/// A file whose only descriptor is on its way through a socket is not seen.
/// </summary>
internal sealed partial class DeletedFiles(ulong disk)
{
    /// <summary>A recorder with its headless browser was seen with 7,588 open files and mappings in a call.</summary>
    private const int MaxLooks = 300_000;

    /// <summary>A process may start another one, and end, while it is looked for.</summary>
    private const int MaxLists = 3;

    private readonly Dictionary<ulong, long> _bytes = [];
    private int _left = MaxLooks;

    /// <inheritdoc cref="Measure(IEnumerable{int}, ulong, out bool)"/>
    /// <param name="user">The user whose processes count.</param>
    public static long MeasureOf(uint user, ulong disk, out bool isUnusual) => Measure(ProcessesOf(user), disk, out isUnusual);

    /// <param name="processes">Ids of the processes.</param>
    /// <param name="disk">The device of the file system.</param>
    /// <param name="isUnusual">Whether the processes have more open files and mappings than those of an honest recorder. The rest is not measured.</param>
    /// <returns>Space that the files take.</returns>
    public static long Measure(IEnumerable<int> processes, ulong disk, out bool isUnusual)
    {
        var files = new DeletedFiles(disk);
        foreach (var process in processes)
            files.Look(process);
        isUnusual = files._left < 0;
        return files._bytes.Values.Sum();
    }

    /// <summary>Lists again what has started while the earlier ones were looked at.</summary>
    private static IEnumerable<int> ProcessesOf(uint user)
    {
        var seen = new HashSet<int>();
        for (var list = 1; list <= MaxLists; list++)
        {
            foreach (var process in HostProcesses.ByUser()[user].Where(seen.Add))
                yield return process;
        }
    }

    private void Look(int process)
    {
        LookAtOpen($"/proc/{process}/fd");
        foreach (var thread in Entries($"/proc/{process}/task"))
        {
            // A thread may have descriptors of its own. If the first thread has ended, only the others show descriptors and mappings.
            if (!int.TryParse(thread, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id == process || SharesFiles(process, id))
                continue;
            LookAtOpen($"/proc/{process}/task/{thread}/fd");
            LookAtMapped(id);
        }

        LookAtMapped(process);
    }

    private void LookAtOpen(string folder)
    {
        foreach (var descriptor in Entries(folder))
            Count($"{folder}/{descriptor}");
    }

    private void LookAtMapped(int process)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{process}/maps"))
            {
                if (--_left < 0)
                    return;
                // 7f00-7f10 rw-s 00000000 fe:00 42 /path (deleted)
                if (line.EndsWith(" (deleted)", StringComparison.Ordinal) && line.Split(' ', 2)[0].Split('-') is [var from, var to])
                    Count($"/proc/{process}/map_files/{from.TrimStart('0')}-{to.TrimStart('0')}");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended.
        }
    }

    private void Count(string link)
    {
        if (--_left >= 0 && LinuxFiles.StatusOfTarget(link, out var file) == 0 && file is { Kind: EntryKind.File, Links: 0 } && file.Device == disk)
            _bytes[file.Inode] = file.Blocks * 512;
    }

    private IEnumerable<string> Entries(string folder)
    {
        using var entries = Open(folder);
        while (_left >= 0 && MoveNext(entries))
            yield return Path.GetFileName(entries!.Current);
    }

    private static IEnumerator<string>? Open(string folder)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(folder).GetEnumerator();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool MoveNext(IEnumerator<string>? entries)
    {
        try
        {
            return entries?.MoveNext() is true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <returns><see langword="true"/> also if the kernel does not tell.</returns>
    private static bool SharesFiles(int process, int thread)
    {
        const int descriptors = 2;
        return Compare(RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 272 : 312, process, thread, descriptors, 0, 0) <= 0;
    }

    /// <summary>kcmp.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Compare(nint number, nint first, nint second, nint type, nint firstIndex, nint secondIndex);
}
