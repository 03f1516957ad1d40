using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Appends to the session folder's <see cref="Journal"/>. Each line is flushed to disk. Space for the last lines is allocated in advance, so that on
/// a full disk the recorder can still report why it leaves. Thread-safe.
/// </summary>
internal sealed partial class SessionJournal(string folder, ILogger<SessionJournal> logger) : IDisposable
{
    private const int ReservedBytes = 32 * 1024;

    /// <summary>From linux/falloc.h: the space is allocated, and the file's length does not change.</summary>
    private const int KeepSize = 1;

    private readonly Lock _gate = new();
    private readonly FileStream _file = Open(Path.Combine(folder, Journal.FileName));
    private long _reservedUntil;

    /// <summary>A line that readers would skip is logged and not written.</summary>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public void Append(JournalLine line)
    {
        if (!line.IsPlausible)
        {
            LogImplausible(line);
            return;
        }

        var bytes = Encoding.UTF8.GetBytes($"{Journal.Format(line)}\n");
        lock (_gate)
        {
            var end = _file.Position;
            Reserve(end);
            try
            {
                _file.Write(bytes);
                _file.Flush(flushToDisk: true);
            }
            catch (IOException)
            {
                // A partial line would corrupt the next one.
                _file.SetLength(end);
                throw;
            }
        }
    }

    /// <summary>Logs a failure: the recording fails on the same disk, and a status is published in Redis too.</summary>
    public void TryAppend(JournalLine line)
    {
        try
        {
            Append(line);
        }
        catch (IOException exception)
        {
            LogFailed(exception, line);
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Has no effect on a full disk, or on a file system that cannot allocate in advance.</summary>
    private void Reserve(long end)
    {
        if (end + ReservedBytes / 2 > _reservedUntil && Allocate(_file.SafeFileHandle, KeepSize, end, ReservedBytes) == 0)
            _reservedUntil = end + ReservedBytes;
    }

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    private static FileStream Open(string path)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
            BufferSize = 0,
        });
        // A line that a crash truncated must not corrupt the next one.
        if (file.Length > 0)
        {
            file.Seek(-1, SeekOrigin.End);
            if (file.ReadByte() != '\n')
                file.WriteByte((byte)'\n');
        }

        return file;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Not written to the journal, because the manager would not accept it: {Line}")]
    private partial void LogImplausible(JournalLine line);

    [LoggerMessage(Level = LogLevel.Error, Message = "Writing to the journal failed: {Line}")]
    private partial void LogFailed(Exception exception, JournalLine line);
}
