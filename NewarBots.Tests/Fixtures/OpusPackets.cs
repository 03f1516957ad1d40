using CliWrap;
using NewarBots.Contract.Ogg;

namespace NewarBots.Tests.Fixtures;

/// <summary>20 ms mono Opus packets from one encoder, like those from the recorder's page, but encoded by FFmpeg.</summary>
public static class OpusPackets
{
    private static readonly Lazy<Task<IReadOnlyList<byte[]>>> Minute = new(() => EncodeAsync("aevalsrc='0.4*sin(2*PI*t*(400+10*floor(t)))':s=48000:d=60"));

    /// <summary>A tone that rises by 10 Hz each second and starts over after 3,000 packets (one minute).</summary>
    public static async Task<IReadOnlyList<byte[]>> OfToneAsync(int count)
    {
        var minute = await Minute.Value;
        return [.. Enumerable.Range(0, count).Select(i => minute[i % minute.Count])];
    }

    /// <param name="source">An audio source of FFmpeg's lavfi.</param>
    public static async Task<IReadOnlyList<byte[]>> EncodeAsync(string source)
    {
        using var file = new MemoryStream();
        await Cli.Wrap("ffmpeg")
            .WithArguments(
            [
                "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", source,
                "-ac", "1", "-c:a", "libopus", "-b:a", "24k", "-frame_duration", "20", "-f", "ogg", "pipe:1",
            ])
            .WithStandardOutputPipe(PipeTarget.ToStream(file))
            .ExecuteAsync();
        file.Position = 0;
        var pages = new OggPageReader(file);
        var packets = new List<byte[]>();
        while (pages.Read())
        {
            foreach (var packet in pages.Packets)
                packets.Add(packet.ToArray());
        }

        return [.. packets.Skip(2)];
    }
}
