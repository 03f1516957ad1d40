using System.Globalization;
using System.Text;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Writes a session's packets to its chunk files (<see cref="ChunkFormat"/>): a page at the latest every 50 packets, each page on
/// the disk before the next packet is taken, so that whoever is killed, at most the last page's worth is missing. A chunk's
/// file comes into being together with its first page.
/// </summary>
/// <param name="folder">The session's folder; it exists.</param>
/// <param name="session">Goes into the chunks' tags.</param>
/// <param name="chunkLength">A multiple of 20 ms; what is over is cut off.</param>
/// <param name="begin">Where the session's time line began, and where on it, and with which chunk, the writer begins.</param>
internal sealed class ChunkWriter(string folder, SessionId session, TimeSpan chunkLength, TimeLinePosition begin) : IDisposable
{
    private readonly int _packetsPerChunk = Math.Max(1, (int)(chunkLength / TimeLinePosition.PacketLength));
    private readonly OggPage _page = new();
    private readonly MemoryStream _buffer = new();
    private FileStream? _file;
    private uint _serial;
    private uint _pageSequence;
    private int _packetsInChunk;

    /// <summary>How many chunk files there are, the open one included.</summary>
    public int Chunks { get; private set; } = begin.Chunks;

    /// <summary>How many packets the session's time line has, those not yet on the disk included.</summary>
    public long Packets { get; private set; } = begin.Packets;

    /// <exception cref="IOException">The disk is full or gone; everything flushed before is whole.</exception>
    public void Append(ReadOnlySpan<byte> packet)
    {
        if (!_page.TryAdd(packet))
        {
            WritePage(OggPageMarks.None);
            _page.TryAdd(packet);
        }

        _packetsInChunk++;
        Packets++;
        if (_packetsInChunk == _packetsPerChunk)
            Complete();
        else if (_page.Packets == ChunkFormat.PacketsPerSecond)
            Flush();
    }

    public void AppendSilence(long packets)
    {
        for (var i = 0L; i < packets; i++)
            Append(OpusHeaders.SilencePacket);
    }

    /// <summary>Brings everything that was appended to the disk.</summary>
    public void Flush()
    {
        if (!_page.IsEmpty)
            WritePage(OggPageMarks.None);
    }

    /// <summary>Ends the open chunk, however long it is. The next packet begins a new one.</summary>
    public void Complete()
    {
        if (_packetsInChunk == 0)
            return;
        WritePage(OggPageMarks.EndOfStream);
        _file!.Dispose();
        _file = null;
        _packetsInChunk = 0;
    }

    /// <summary>Closes the file as it is. <see cref="Complete"/> ends the stream in it.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _buffer.Dispose();
    }

    private void WritePage(OggPageMarks flags)
    {
        _buffer.SetLength(0);
        if (_file is null)
            Begin();
        var packetsOnDisk = _packetsInChunk;
        _page.WriteTo(_buffer, _serial, _pageSequence++, packetsOnDisk * (long)ChunkFormat.SamplesPerPacket, flags);
        var end = _file!.Position;
        try
        {
            _file.Write(_buffer.GetBuffer(), 0, (int)_buffer.Length);
            _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            CutBack(_file, end);
            throw;
        }
    }

    /// <summary>Half a page on a full disk is worth nothing, and would look like damage.</summary>
    private static void CutBack(FileStream file, long end)
    {
        file.SetLength(end);
        if (end == 0)
            File.Delete(file.Name);
    }

    private void Begin()
    {
        var index = Chunks;
        var firstPacket = Packets - _packetsInChunk;
        _file = new FileStream(
            Path.Combine(folder, ChunkFormat.FileName(index)),
            new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 });
        Chunks++;
        _serial = OggChecksum.Of(Encoding.ASCII.GetBytes($"{session}{index}"));
        _pageSequence = 0;
        WriteHeader(OpusHeaders.Head(), OggPageMarks.BeginningOfStream);
        WriteHeader(
            OpusHeaders.Tags(
            [
                new(ChunkFormat.SessionTag, session.ToString()),
                new(ChunkFormat.StartTag, begin.At(firstPacket).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'")),
                new(ChunkFormat.FirstPacketTag, firstPacket.ToString(CultureInfo.InvariantCulture)),
            ]),
            OggPageMarks.None);

        void WriteHeader(byte[] packet, OggPageMarks flags)
        {
            var page = new OggPage();
            page.TryAdd(packet);
            page.WriteTo(_buffer, _serial, _pageSequence++, granule: 0, flags);
        }
    }
}
