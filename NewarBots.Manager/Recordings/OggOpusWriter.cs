using NewarBots.Contract;
using NewarBots.Contract.Ogg;

namespace NewarBots.Manager.Recordings;

/// <summary>Writes packets of 20 ms as an Ogg Opus file in the format of a chunk, one page per second.</summary>
internal sealed class OggOpusWriter(Stream target)
{
    private readonly OggPage _page = new();
    private uint _sequence;
    private long _packets;

    public void Append(ReadOnlySpan<byte> packet)
    {
        if (_sequence == 0)
            WriteHeaders();
        if (_page.Packets == ChunkFormat.PacketsPerSecond || !_page.TryAdd(packet))
        {
            WritePage(OggPageMarks.None);
            _page.TryAdd(packet);
        }

        _packets++;
    }

    public void AppendSilence(long packets)
    {
        for (var i = 0L; i < packets; i++)
            Append(OpusHeaders.SilencePacket);
    }

    /// <summary>Ends the stream. Nothing can be appended afterwards.</summary>
    public void Complete() => WritePage(OggPageMarks.EndOfStream);

    private void WriteHeaders()
    {
        _page.TryAdd(OpusHeaders.Head());
        WritePage(OggPageMarks.BeginningOfStream);
        _page.TryAdd(OpusHeaders.Tags([]));
        WritePage(OggPageMarks.None);
    }

    private void WritePage(OggPageMarks marks) =>
        _page.WriteTo(target, serial: 1, _sequence++, _packets * ChunkFormat.SamplesPerPacket, marks);
}
