using System.Buffers.Binary;

namespace NewarBots.Contract.Ogg;

/// <summary>
/// Reads the pages of an Ogg file (RFC 3533) from start to end in constant memory. Bytes outside complete pages with a valid checksum are
/// skipped and counted.
/// </summary>
/// <param name="stream">Read to its end, without seeking.</param>
public sealed class OggPageReader(Stream stream)
{
    private const int ChecksumOffset = 22;

    private readonly byte[] _buffer = new byte[2 * OggPage.MaxLength];
    private int _start;
    private int _end;
    private int _length;

    /// <summary>Number of bytes skipped before this page; after the last page, up to the end of the file.</summary>
    public long Skipped { get; private set; }

    public OggPageMarks Marks => (OggPageMarks)Page[5];

    public long Granule => BinaryPrimitives.ReadInt64LittleEndian(Page[6..]);

    public uint Serial => BinaryPrimitives.ReadUInt32LittleEndian(Page[14..]);

    public uint Sequence => BinaryPrimitives.ReadUInt32LittleEndian(Page[18..]);

    /// <summary>The packets on this page. The last one may continue on the next page. Valid until the next <see cref="Read"/>.</summary>
    public OggPackets Packets => new(Lacing, Page[(OggPage.HeaderLength + Lacing.Length)..]);

    /// <summary>A packet crosses the start or end of this page.</summary>
    public bool HasPartialPacket => Marks.HasFlag(OggPageMarks.Continued) || (Lacing.Length > 0 && Lacing[^1] == 255);

    private ReadOnlySpan<byte> Page => _buffer.AsSpan(_start, _length);

    private ReadOnlySpan<byte> Lacing => Page.Slice(OggPage.HeaderLength, Page[26]);

    /// <returns><see langword="false"/> at the end of the file.</returns>
    public bool Read()
    {
        _start += _length;
        _length = 0;
        Skipped = 0;
        while (true)
        {
            if (!Has(OggPage.HeaderLength))
            {
                Skip(_end - _start);
                return false;
            }

            if (MeasurePage() is { } length && HasValidChecksum(_buffer.AsSpan(_start, length)))
            {
                _length = length;
                return true;
            }

            var next = _buffer.AsSpan(_start + 1, _end - _start - 1).IndexOf("OggS"u8);
            // The last three bytes may be the start of the next page's "OggS".
            Skip(next >= 0 ? next + 1 : Math.Max(1, _end - _start - 3));
        }
    }

    /// <returns>Length of the page that begins here; <see langword="null"/> if there is none or it is incomplete.</returns>
    private int? MeasurePage()
    {
        if (!_buffer.AsSpan(_start).StartsWith("OggS\0"u8))
            return null;
        var headerLength = OggPage.HeaderLength + _buffer[_start + 26];
        if (!Has(headerLength))
            return null;
        var length = headerLength;
        foreach (var lacing in _buffer.AsSpan(_start + OggPage.HeaderLength, headerLength - OggPage.HeaderLength))
            length += lacing;
        return Has(length) ? length : null;
    }

    private static bool HasValidChecksum(ReadOnlySpan<byte> page)
    {
        var checksum = OggChecksum.Of(page[..ChecksumOffset]);
        checksum = OggChecksum.Of([0, 0, 0, 0], checksum);
        checksum = OggChecksum.Of(page[(ChecksumOffset + 4)..], checksum);
        return BinaryPrimitives.ReadUInt32LittleEndian(page[ChecksumOffset..]) == checksum;
    }

    private void Skip(int bytes)
    {
        _start += bytes;
        Skipped += bytes;
    }

    private bool Has(int bytes)
    {
        if (_end - _start >= bytes)
            return true;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < bytes && stream.Read(_buffer, _end, _buffer.Length - _end) is > 0 and var read)
            _end += read;
        return _end >= bytes;
    }
}

/// <summary>The packets of one page in order, each as a span.</summary>
public readonly ref struct OggPackets(ReadOnlySpan<byte> lacing, ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _lacing = lacing;
    private readonly ReadOnlySpan<byte> _body = body;

    /// <summary>Number of packets that end on this page.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var value in _lacing)
                count += value < 255 ? 1 : 0;
            return count;
        }
    }

    public Enumerator GetEnumerator() => new(_lacing, _body);

    public ref struct Enumerator(ReadOnlySpan<byte> lacing, ReadOnlySpan<byte> body)
    {
        private ReadOnlySpan<byte> _lacing = lacing;
        private ReadOnlySpan<byte> _body = body;

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_lacing.IsEmpty)
                return false;
            var segments = 0;
            var length = 0;
            do
                length += _lacing[segments];
            while (_lacing[segments++] == 255 && segments < _lacing.Length);
            Current = _body[..length];
            _body = _body[length..];
            _lacing = _lacing[segments..];
            return true;
        }
    }
}
