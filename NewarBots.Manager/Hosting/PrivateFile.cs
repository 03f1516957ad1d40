using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace NewarBots.Manager.Hosting;

/// <summary>Files in the storage folder that only their owner may read. Several managers and commands may change them at once.</summary>
internal static partial class PrivateFile
{
    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Error number of Linux (EAGAIN): another process holds the lock.</summary>
    private const int Locked = 11;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockRetryInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>One for each lock file. This process locks a few.</summary>
    private static readonly ConcurrentDictionary<string, SemaphoreSlim> Queues = new();

    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnersFolder);
    }

    /// <summary>
    /// Takes an exclusive lock across processes. The operating system releases it when its holder ends, even in a crash. Callers in this process wait in
    /// order: if many polled for the file, some would never get it.
    /// </summary>
    /// <exception cref="LockTimeoutException">Others held the lock for too long.</exception>
    /// <exception cref="IOException">The lock file cannot be created.</exception>
    public static async Task<IDisposable> LockAsync(string path, TimeProvider time, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var queue = Queues.GetOrAdd(Path.GetFullPath(path), _ => new(1));
        using var timeout = new CancellationTokenSource(LockTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            await queue.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new LockTimeoutException(path);
        }

        try
        {
            return new FileLock(await LockFileAsync(path, time, started, cancellation), queue);
        }
        catch
        {
            queue.Release();
            throw;
        }
    }

    private static async Task<FileStream> LockFileAsync(string path, TimeProvider time, long started, CancellationToken cancellation)
    {
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
            catch (IOException exception) when (exception.HResult == Locked)
            {
                throw new LockTimeoutException(path);
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

    private sealed class FileLock(FileStream file, SemaphoreSlim queue) : IDisposable
    {
        private bool _isReleased;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReleased, value: true))
                return;
            file.Dispose();
            queue.Release();
        }
    }
}

/// <summary>Other requests or other managers changed the same file for so long that this change was not made.</summary>
internal sealed class LockTimeoutException(string path) : IOException($"{path} was locked for too long by other changes.");
