using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Keeps recordings from other users of the machine: new files get mode 0640 and new folders 0750 at most, also those of FFmpeg. With
/// <see cref="StorageOptions.Group"/>, finished recordings belong to that group, whose members can read them.
/// </summary>
internal sealed partial class StoragePermissions(StorageLayout storage, IOptions<StorageOptions> options, ILogger<StoragePermissions> logger) : IHostedService
{
    private const int UnchangedOwner = -1;

    /// <summary>Error number of Linux.</summary>
    private const int Missing = 2;

    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    /// <summary>New files and folders inherit the group of such a folder.</summary>
    private const UnixFileMode FolderOfGroup = Folder | UnixFileMode.SetGroup;

    /// <summary>Octal 027: no access for others, no writes for the group. Applies to this process and the programs that it starts.</summary>
    private const int Umask = 0b000_010_111;

    public static void RestrictNewFiles()
    {
        if (!OperatingSystem.IsWindows())
            _ = SetUmask(Umask);
    }

    /// <summary>
    /// Tightens the folders of earlier versions. Their files keep their modes; nobody else can reach them. Gives all finished recordings to the group,
    /// if one is set.
    /// </summary>
    /// <exception cref="InvalidSettingException">The group is unknown, or the manager may not give files to it.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
            return Task.CompletedTask;
        try
        {
            foreach (var folder in new[] { storage.TempRoot, storage.SoFarRoot, storage.FinalRoot }.Where(Directory.Exists))
                File.SetUnixFileMode(folder, Folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // For example a read-only storage, which the health check reports.
            Log.NotTightened(logger, storage.Root, exception.Message);
        }

        if (options.Value.Group is { Length: > 0 } group)
            GiveTo(IdOf(group), cancellationToken);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Temporary entries are skipped: a work folder belongs to a process that may put a link in the place of any file, and what it makes gets its group when
    /// it is finished.
    /// </summary>
    private void GiveTo(int group, CancellationToken cancellation)
    {
        Directory.CreateDirectory(storage.FinalRoot);
        var entries = new FileSystemEnumerable<FileSystemInfo>(
            storage.FinalRoot, (ref FileSystemEntry entry) => entry.ToFileSystemInfo(), new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
        {
            ShouldIncludePredicate = IsFinished,
            ShouldRecursePredicate = IsFinished,
        };
        Give(Directory.GetParent(storage.FinalRoot)!, group, Folder);
        foreach (var entry in entries.Prepend(new DirectoryInfo(storage.FinalRoot)))
        {
            cancellation.ThrowIfCancellationRequested();
            Give(entry, group, FolderOfGroup);
        }

        static bool IsFinished(ref FileSystemEntry entry) => !entry.FileName.StartsWith('.');
    }

    private void Give(FileSystemInfo entry, int group, UnixFileMode modeOfFolder)
    {
        if (ChangeOwner(entry.FullName, UnchangedOwner, group) != 0)
        {
            // Another manager has moved or deleted it since it was listed.
            if (Marshal.GetLastPInvokeError() == Missing)
                return;
            throw new InvalidSettingException(
                $"Storage:Group: {entry.FullName} cannot be given to the group {options.Value.Group}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}. "
                + "Run the manager as root or as a member of the group.");
        }

        // The change of the group removes its bit.
        if (entry is DirectoryInfo && !OperatingSystem.IsWindows())
            SetMode(entry, modeOfFolder);
    }

    [UnsupportedOSPlatform("windows")]
    private static void SetMode(FileSystemInfo folder, UnixFileMode mode)
    {
        try
        {
            folder.UnixFileMode = mode;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // As above.
        }
    }

    /// <param name="group">A name from <c>/etc/group</c>, or a number.</param>
    private static int IdOf(string group) =>
        int.TryParse(group, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
            : File.ReadLines("/etc/group").Select(line => line.Split(':')).FirstOrDefault(fields => fields is [var name, _, _, ..] && name == group) is { } found
                ? int.Parse(found[2], CultureInfo.InvariantCulture)
                : throw new InvalidSettingException($"Storage:Group: {group} is not a group in /etc/group. Use its number if it comes from a directory service.");

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial int SetUmask(int mask);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The permissions of the storage folder {Path} cannot be tightened: {Error}")]
        public static partial void NotTightened(ILogger logger, string path, string error);
    }
}
