using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace NewarBots.Manager.Hosting;

/// <summary>Files in the storage folder that managers alone may read, and that several of them, and commands, may change.</summary>
internal static partial class PrivateFile
{
    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnersFolder);
    }

    /// <summary>One after the other, in whatever process. The lock goes with its holder, however that ends.</summary>
    /// <exception cref="IOException">Somebody else has held it for too long.</exception>
    public static async Task<IDisposable> LockAsync(string path, TimeProvider time, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return Open(path, FileMode.OpenOrCreate);
            }
            catch (IOException) when (time.GetElapsedTime(started) < LockPatience)
            {
                await Task.Delay(LockPause, time, cancellation);
            }
        }
    }

    /// <summary>The file appears whole, and is on disk when this returns.</summary>
    public static void Write(string path, Action<Stream> write) => Write(path, write, beside => File.Move(beside, path, overwrite: true));

    /// <summary>The same; of several who make it at once, in whatever process, one succeeds, and its file holds for all.</summary>
    public static void WriteOnce(string path, Action<Stream> write) => Write(path, write, beside =>
    {
        // File.Move looks first and renames then, so that of two the later one would win after the first has read its own.
        if (Link(beside, path) != 0 && !File.Exists(path))
            throw new IOException($"{path} cannot be made: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
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
