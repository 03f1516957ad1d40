using System.Globalization;
using System.Text;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Writes a session's packets to chunk files (<see cref="ChunkFormat"/>). A page holds at most 50 packets and is flushed to disk before
/// the next packet is accepted, so a killed recorder loses at most one page. A chunk's file is created together with its first page.
/// </summary>
/// <param name="folder">The folder, which exists.</param>
/// <param name="session">Written to the chunks' tags.</param>
/// <param name="chunkLength">Rounded down to a multiple of 20 ms.</param>
/// <param name="begin">The start of the time line, and the packet and chunk at which the writer begins.</param>
internal sealed class ChunkWriter(string folder, SessionId session, TimeSpan chunkLength, TimeLinePosition begin) : IDisposable
{
    private readonly int _packetsPerChunk = Math.Max(1, (int)(chunkLength / TimeLinePosition.PacketLength));
    private readonly OggPage _page = new();
    private readonly MemoryStream _buffer = new();
    private FileStream? _file;
    private uint _serial;
    private uint _pageSequence;
    private int _packetsInChunk;

    /// <summary>Number of chunk files, including the open one.</summary>
    public int Chunks { get; private set; } = begin.Chunks;

    /// <summary>Length of the time line in packets, including those not yet flushed.</summary>
    public long Packets { get; private set; } = begin.Packets;

    /// <exception cref="IOException">The disk is full or unavailable. Everything flushed before is intact.</exception>
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

    /// <summary>Flushes all appended packets to disk.</summary>
    public void Flush()
    {
        if (!_page.IsEmpty)
            WritePage(OggPageMarks.None);
    }

    /// <summary>Ends the open chunk, even if it is short. The next packet starts another.</summary>
    public void Complete()
    {
        if (_packetsInChunk == 0)
            return;
        WritePage(OggPageMarks.EndOfStream);
        _file!.Dispose();
        _file = null;
        _packetsInChunk = 0;
    }

    /// <summary>Closes the file without ending its stream, as <see cref="Complete"/> does.</summary>
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
            Truncate(_file, end);
            throw;
        }
    }

    /// <summary>Removes a partial page, which would look like a damaged file.</summary>
    private static void Truncate(FileStream file, long end)
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
