using NewarBots.Contract;
using NewarBots.Contract.Ogg;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Reads the audio of a chunk file page by page, in constant memory. Accepts only complete pages of one stream that hold complete
/// packets of 20 ms and start at or after the end of the previous page.
/// </summary>
/// <param name="stream">The chunk file, positioned at its start.</param>
internal sealed class ChunkPages(Stream stream)
{
    private readonly OggPageReader _pages = new(stream);
    private uint? _serial;
    private uint _expectedSequence;
    private bool _ended;

    /// <summary>The chunk's comment tags, available once the first page of audio was read.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; private set; } = [];

    /// <summary>The current page's position on the chunk's own timeline.</summary>
    public PacketRange Range { get; private set; }

    /// <summary>The current page's packets, valid until the next <see cref="Read"/>.</summary>
    public OggPackets Packets => _pages.Packets;

    /// <summary>Invalid data was skipped so far.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The file ends with an incomplete page.</summary>
    public bool HasTornTail { get; private set; }

    /// <summary>Advances to the next page of audio.</summary>
    /// <returns><see langword="false"/> at the end of the file.</returns>
    public bool Read()
    {
        while (_pages.Read())
        {
            IsDamaged |= _pages.Skipped > 0;
            if (_serial is null && _pages.Sequence == 0 && TryReadHead())
                continue;
            _serial ??= _pages.Serial;
            if (_pages.Serial != _serial || _pages.HasPartialPacket || _ended || _pages.Sequence < _expectedSequence)
            {
                IsDamaged = true;
                continue;
            }

            if (_pages.Sequence == 1 && TryReadTags())
                continue;
            if (IsEmptyLastPage)
            {
                _ended = true;
                continue;
            }

            if (MeasureAudio() is not { } range)
            {
                IsDamaged = true;
                continue;
            }

            IsDamaged |= _pages.Sequence != _expectedSequence || range.First != Range.End;
            _expectedSequence = _pages.Sequence + 1;
            _ended = _pages.Marks.HasFlag(OggPageMarks.EndOfStream);
            Range = range;
            return true;
        }

        HasTornTail = _pages.Skipped > 0;
        return false;
    }

    /// <summary>An end-of-stream page without packets, written if all audio was flushed before the stream ended (RFC 3533, 6).</summary>
    private bool IsEmptyLastPage => _pages.Marks.HasFlag(OggPageMarks.EndOfStream)
        && _pages.Packets.Count == 0
        && _pages.Sequence == _expectedSequence
        && _pages.Granule == Range.End * ChunkFormat.SamplesPerPacket;

    private bool TryReadHead()
    {
        foreach (var packet in _pages.Packets)
        {
            if (!OpusHeaders.IsHead(packet))
                return false;
        }

        _serial = _pages.Serial;
        _expectedSequence = 1;
        return true;
    }

    private bool TryReadTags()
    {
        foreach (var packet in _pages.Packets)
        {
            if (OpusHeaders.ReadTags(packet) is not { } tags)
                return false;
            Tags = tags;
        }

        IsDamaged |= _expectedSequence != 1;
        _expectedSequence = 2;
        return true;
    }

    private PacketRange? MeasureAudio()
    {
        var count = 0;
        foreach (var packet in _pages.Packets)
        {
            if (OpusPacket.Samples(packet) != ChunkFormat.SamplesPerPacket)
                return null;
            count++;
        }

        var (end, remainder) = Math.DivRem(_pages.Granule, ChunkFormat.SamplesPerPacket);
        var first = end - count;
        // Lost pages held at most MaxPackets packets each, and the whole chunk has a limited length: a larger jump in position is implausible.
        var latest = Range.End + ((_pages.Sequence - (long)Math.Max(_expectedSequence, 2)) * OggPage.MaxPackets);
        return count > 0 && remainder == 0 && first >= Range.End && first <= latest && (first == Range.End || end <= ChunkFormat.MaxPackets)
            ? new(first, count)
            : null;
    }
}
