using System.Text.Json;
using NewarBots.Contract.Ogg;
using NewarBots.Recorder.Hosting;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// The audio of the rehearsal's first participant, as messages of the capture script: in second s a tone of 400 + 40 (s mod 11) Hz.
/// The packets were encoded once, to <c>generated.ogg</c>, and are played in a loop.
/// </summary>
/// <remarks>
/// The file holds two rounds of 11 s. The first one only warms up the decoder; the second one loops without a seam:
/// <code>ffmpeg -f lavfi -i "aevalsrc='0.15*sin(2*PI*mod(t\,1)*(400+40*mod(floor(t)\,11)))':s=48000:d=22" -ac 1 -c:a libopus -b:a 12k -frame_duration 20 generated.ogg</code>
/// </remarks>
/// <param name="startedAt">The time of second 0.</param>
internal sealed class GeneratedAudio(DateTimeOffset startedAt)
{
    private const int PacketsInRound = 11 * Contract.ChunkFormat.PacketsPerSecond;

    /// <summary>OpusHead and OpusTags.</summary>
    private const int HeaderPackets = 2;

    private const int LevelInDbfs = -20;

    private static readonly List<byte[]> Round = ReadRound();

    private long _packets;
    private long _bytes;

    /// <returns>The audio since the last call; <see langword="null"/> if there is none.</returns>
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
            [.. packets.Select(_ => LevelInDbfs)],
            Stalls: [],
            Connections: 1,
            Tracks: 1,
            _bytes);
        _packets = due;
        return new(Browser: 0, JsonSerializer.Serialize(payload, CaptureJson.Default.CapturePayload));
    }

    private static List<byte[]> ReadRound()
    {
        using var file = EmbeddedFile.Open("Recording.generated.ogg");
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
