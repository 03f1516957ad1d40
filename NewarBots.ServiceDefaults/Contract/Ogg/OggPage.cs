using System.Buffers;
using System.Buffers.Binary;

namespace NewarBots.Contract.Ogg;

/// <summary>
/// Builds one page of an Ogg stream (RFC 3533). It holds whole packets only, so a file that is cut off after any page is valid.
/// </summary>
public sealed class OggPage
{
    internal const int HeaderLength = 27;
    internal const int MaxSegments = 255;

    /// <summary>Maximum number of packets on a page.</summary>
    public const int MaxPackets = MaxSegments;

    /// <summary>Maximum length of a page in bytes.</summary>
    public const int MaxLength = HeaderLength + MaxSegments + (MaxSegments * 255);

    private readonly List<byte> _lacing = new(MaxSegments);
    private readonly ArrayBufferWriter<byte> _body = new();

    public bool IsEmpty => Packets == 0;

    public int Packets { get; private set; }

    /// <returns><see langword="false"/> if the packet does not fit. The caller must write the page first.</returns>
    public bool TryAdd(ReadOnlySpan<byte> packet)
    {
        var segments = (packet.Length / 255) + 1;
        if (segments > MaxSegments)
            throw new ArgumentException($"A packet of {packet.Length} bytes does not fit on a page.", nameof(packet));
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
    /// <param name="granule">Position in samples at the end of the page; 0 for header pages.</param>
    /// <param name="target">The stream to append to.</param>
    /// <param name="serial">Serial number of the Ogg stream.</param>
    /// <param name="sequence">Page number in the Ogg stream, from 0.</param>
    /// <param name="marks">Flags for the first and last page.</param>
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

/// <summary>Header flags of a page. <see cref="Continued"/>: its first packet began on an earlier page.</summary>
[Flags]
public enum OggPageMarks : byte
{
    None = 0,
    Continued = 1,
    BeginningOfStream = 2,
    EndOfStream = 4,
}
