using System.Text.Json;
using NewarBots.Contract.Ogg;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// What a page with the rehearsal's first participant in it would be heard to say: in second s a tone of 400 + 40 (s mod 11) Hz,
/// as batches of capture.js. The packets were encoded once, into <c>generated.ogg</c>; here they only go round.
/// </summary>
/// <remarks>
/// The file holds two rounds of 11 s; the first one only leads the decoder up to the second, which goes round without a seam:
/// <code>ffmpeg -f lavfi -i "aevalsrc='0.15*sin(2*PI*mod(t\,1)*(400+40*mod(floor(t)\,11)))':s=48000:d=22" -ac 1 -c:a libopus -b:a 12k -frame_duration 20 generated.ogg</code>
/// </remarks>
/// <param name="startedAt">When its second 0 begins.</param>
internal sealed class GeneratedAudio(DateTimeOffset startedAt)
{
    private const int PacketsInRound = 11 * Contract.ChunkFormat.PacketsPerSecond;

    /// <summary>OpusHead and OpusTags.</summary>
    private const int HeaderPackets = 2;

    /// <summary>In dBFS.</summary>
    private const int Level = -20;

    private static readonly List<byte[]> Round = ReadRound();

    private long _packets;
    private long _bytes;

    /// <returns>All that has become due since the last call; <see langword="null"/> where that is nothing.</returns>
    public CaptureMessage? Take(DateTimeOffset now)
    {
        var due = (long)((now - startedAt) / TimeLinePosition.PacketLength);
        if (due <= _packets)
            return null;
        var packets = new List<byte[]>();
        for (var packet = _packets; packet < due; packet++)
            packets.Add(Round[(int)(packet % PacketsInRound)]);
        byte[] bytes = [.. packets.SelectMany(packet => packet)];
        _bytes += bytes.Length;
        var payload = new CapturePayload(
            "generated",
            (startedAt - DateTimeOffset.UnixEpoch).TotalMilliseconds,
            _packets,
            bytes,
            [.. packets.Select(packet => packet.Length)],
            [.. packets.Select(_ => Level)],
            Stalls: [],
            Connections: 1,
            Tracks: 1,
            _bytes);
        _packets = due;
        return new(Browser: 0, JsonSerializer.Serialize(payload, CaptureJson.Default.CapturePayload));
    }

    private static List<byte[]> ReadRound()
    {
        using var file = typeof(GeneratedAudio).Assembly.GetManifestResourceStream("NewarBots.Recorder.Recording.generated.ogg")
            ?? throw new InvalidOperationException("generated.ogg is not built into the program.");
        var pages = new OggPageReader(file);
        var packets = new List<byte[]>();
        while (pages.Read())
        {
            foreach (var packet in pages.Packets)
                packets.Add(packet.ToArray());
        }

        return packets.GetRange(HeaderPackets + PacketsInRound, PacketsInRound);
    }
}
