using System.Buffers;
using System.Buffers.Binary;

namespace NewarBots.Contract.Ogg;

/// <summary>
/// One page of an Ogg stream (RFC 3533) that is being put together: whole packets only, none is ever continued on the next page,
/// so that a file that was cut off behind any page is a valid file.
/// </summary>
public sealed class OggPage
{
    internal const int HeaderLength = 27;
    internal const int MaxSegments = 255;

    /// <summary>A page holds no more packets than this.</summary>
    public const int MaxPackets = MaxSegments;

    /// <summary>The longest page there can be, in bytes.</summary>
    public const int MaxLength = HeaderLength + MaxSegments + (MaxSegments * 255);

    private readonly List<byte> _lacing = new(MaxSegments);
    private readonly ArrayBufferWriter<byte> _body = new();

    public bool IsEmpty => Packets == 0;

    public int Packets { get; private set; }

    /// <returns><see langword="false"/> where the packet does not fit; the page is then to be written first.</returns>
    public bool TryAdd(ReadOnlySpan<byte> packet)
    {
        var segments = (packet.Length / 255) + 1;
        if (segments > MaxSegments)
            throw new ArgumentException($"A packet of {packet.Length} bytes fits on no page.", nameof(packet));
        if (_lacing.Count + segments > MaxSegments)
            return false;
        for (var i = 1; i < segments; i++)
            _lacing.Add(255);
        _lacing.Add((byte)(packet.Length % 255));
        _body.Write(packet);
        Packets++;
        return true;
    }

    /// <summary>Appends the finished page to <paramref name="target"/> and begins the next one.</summary>
    /// <param name="granule">Position in samples at the page's end; 0 for header pages.</param>
    /// <param name="target">Where the page goes.</param>
    /// <param name="serial">The stream's serial number.</param>
    /// <param name="sequence">The page's number in the stream, from 0.</param>
    /// <param name="marks">Where in the stream it stands.</param>
    public void WriteTo(Stream target, uint serial, uint sequence, long granule, OggPageMarks marks)
    {
        Span<byte> header = stackalloc byte[HeaderLength + MaxSegments];
        header = header[..(HeaderLength + _lacing.Count)];
        header.Clear();
        "OggS"u8.CopyTo(header);
        header[5] = (byte)marks;
        BinaryPrimitives.WriteInt64LittleEndian(header[6..], granule);
        BinaryPrimitives.WriteUInt32LittleEndian(header[14..], serial);
        BinaryPrimitives.WriteUInt32LittleEndian(header[18..], sequence);
        header[26] = (byte)_lacing.Count;
        for (var i = 0; i < _lacing.Count; i++)
            header[HeaderLength + i] = _lacing[i];
        var body = _body.WrittenSpan;
        BinaryPrimitives.WriteUInt32LittleEndian(header[22..], OggChecksum.Of(body, OggChecksum.Of(header)));

        target.Write(header);
        target.Write(body);
        _lacing.Clear();
        _body.ResetWrittenCount();
        Packets = 0;
    }
}

/// <summary>Where in its stream a page stands; the first flag says that its first packet began on an earlier page.</summary>
[Flags]
public enum OggPageMarks : byte
{
    None = 0,
    Continued = 1,
    BeginningOfStream = 2,
    EndOfStream = 4,
}
