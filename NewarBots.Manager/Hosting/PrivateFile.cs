using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace NewarBots.Manager.Hosting;

/// <summary>Files in the storage folder that only their owner may read. Several managers and commands may change them at once.</summary>
internal static partial class PrivateFile
{
    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockRetryInterval = TimeSpan.FromMilliseconds(20);

    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnersFolder);
    }

    /// <summary>Takes an exclusive lock across processes. The operating system releases it when its holder ends, even in a crash.</summary>
    /// <exception cref="IOException">Another process held the lock for too long.</exception>
    public static async Task<IDisposable> LockAsync(string path, TimeProvider time, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return Open(path, FileMode.OpenOrCreate);
            }
            catch (IOException) when (time.GetElapsedTime(started) < LockTimeout)
            {
                await Task.Delay(LockRetryInterval, time, cancellation);
            }
        }
    }

    /// <summary>Writes a file that appears whole, and is on disk when this returns.</summary>
    public static void Write(string path, Action<Stream> write) => Write(path, write, beside => File.Move(beside, path, overwrite: true));

    /// <summary>Like <see cref="Write(string, Action{Stream})"/>, but the first of several writers wins, across processes, and all use its file.</summary>
    public static void WriteOnce(string path, Action<Stream> write) => Write(path, write, beside =>
    {
        // File.Move checks before it renames, so a second writer could replace the file after the first has read it.
        if (Link(beside, path) != 0 && !File.Exists(path))
            throw new IOException($"{path} cannot be created: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
    });

    private static void Write(string path, Action<Stream> write, Action<string> publish)
    {
        var beside = $"{path}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        try
        {
            using (var file = Open(beside, FileMode.CreateNew))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }

            publish(beside);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnersFile;
        return new(path, options);
    }
}
