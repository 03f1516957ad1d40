using System.Text;
using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>Appends to the session folder's <see cref="Journal"/>. Each line is flushed to disk. Thread-safe.</summary>
internal sealed class SessionJournal(string folder) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _file = Open(Path.Combine(folder, Journal.FileName));

    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public void Append(JournalLine line)
    {
        var bytes = Encoding.UTF8.GetBytes($"{Journal.Format(line)}\n");
        lock (_gate)
        {
            var end = _file.Position;
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

    public void Dispose() => _file.Dispose();

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
}
