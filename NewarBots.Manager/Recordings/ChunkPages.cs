using NewarBots.Contract;
using NewarBots.Contract.Ogg;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Reads a chunk file's audio, page by page, and decides what of it is to be believed: whole pages of one stream, each with whole
/// packets of 20 ms, each at or behind the end of the one before. Constant memory.
/// </summary>
/// <param name="stream">The chunk's file, at its begin.</param>
internal sealed class ChunkPages(Stream stream)
{
    private readonly OggPageReader _pages = new(stream);
    private uint? _serial;
    private uint _expectedSequence;
    private bool _ended;

    /// <summary>The chunk's comments, once its first audio was read.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; private set; } = [];

    /// <summary>The page's place on the chunk's own time line.</summary>
    public PacketRange Range { get; private set; }

    /// <summary>The page's packets, until the next <see cref="Read"/>.</summary>
    public OggPackets Packets => _pages.Packets;

    /// <summary>Something before this page, or after the last one, was not as it should be.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The file ends behind its last page with something that is no page.</summary>
    public bool HasTornTail { get; private set; }

    /// <summary>Goes to the next page of audio.</summary>
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
            if (IsBareEnd)
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

    /// <summary>What was to be said had been flushed before: the stream's end has a page of its own, without packets (RFC 3533, 6).</summary>
    private bool IsBareEnd => _pages.Marks.HasFlag(OggPageMarks.EndOfStream)
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
        // A lost page held no more packets than fit on one: a position farther away than that is not to be believed.
        var believable = Range.End + ((_pages.Sequence - (long)Math.Max(_expectedSequence, 2)) * OggPage.MaxPackets);
        return count > 0 && remainder == 0 && first >= Range.End && first <= believable ? new(first, count) : null;
    }
}
