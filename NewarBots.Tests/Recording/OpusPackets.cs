using System.Buffers.Binary;
using CliWrap;

namespace NewarBots.Tests.Recording;

/// <summary>Real Opus packets of 20 ms, mono, 48 kHz, encoded by FFmpeg, and what FFmpeg makes of Ogg files.</summary>
internal static class OpusPackets
{
    private static readonly Lazy<Task<IReadOnlyList<byte[]>>> TonePackets = new(EncodeToneAsync);

    /// <summary>30 s of a 440 Hz tone.</summary>
    public static Task<IReadOnlyList<byte[]>> ToneAsync() => TonePackets.Value;

    /// <summary>Decodes a file to samples; any complaint of the decoder is an exception.</summary>
    public static async Task<short[]> DecodeAsync(string path)
    {
        using var samples = new MemoryStream();
        await FFmpegAsync(["-xerror", "-err_detect", "explode", "-i", path, "-f", "s16le", "-"], PipeTarget.ToStream(samples));
        var bytes = samples.ToArray();
        var decoded = new short[bytes.Length / 2];
        for (var i = 0; i < decoded.Length; i++)
            decoded[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(i * 2));
        return decoded;
    }

    /// <summary>Puts files together by stream copy, as the manager does.</summary>
    public static async Task ConcatenateAsync(IEnumerable<string> paths, string target)
    {
        var list = $"{target}.txt";
        await File.WriteAllLinesAsync(list, paths.Select(path => $"file '{path}'"));
        await FFmpegAsync(["-f", "concat", "-safe", "0", "-i", list, "-c", "copy", target], PipeTarget.Null);
    }

    private static async Task FFmpegAsync(string[] arguments, PipeTarget output)
    {
        var errors = new System.Text.StringBuilder();
        await Cli.Wrap("ffmpeg")
            .WithArguments(["-nostdin", "-v", "warning", .. arguments])
            .WithStandardOutputPipe(output)
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(errors))
            .ExecuteAsync();
        if (errors.Length > 0)
            throw new InvalidDataException($"ffmpeg {string.Join(' ', arguments)}: {errors}");
    }

    private static async Task<IReadOnlyList<byte[]>> EncodeToneAsync()
    {
        using var ogg = new MemoryStream();
        await FFmpegAsync(
            ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=30", "-ac", "1", "-c:a", "libopus", "-b:a", "48k", "-f", "ogg", "-"],
            PipeTarget.ToStream(ogg));
        return ReadPackets(ogg.ToArray()).Skip(2).ToList();
    }

    /// <summary>The packets of an Ogg file, headers included.</summary>
    public static IEnumerable<byte[]> ReadPackets(byte[] ogg)
    {
        var open = new List<byte>();
        for (var page = 0; page < ogg.Length;)
        {
            var segments = ogg[page + 26];
            var body = page + 27 + segments;
            for (var i = 0; i < segments; i++)
            {
                var lacing = ogg[page + 27 + i];
                open.AddRange(ogg.AsSpan(body, lacing));
                body += lacing;
                if (lacing == 255)
                    continue;
                yield return [.. open];
                open.Clear();
            }

            page = body;
        }
    }

    /// <summary>Where the pages of an Ogg file end.</summary>
    public static IEnumerable<int> PageEnds(byte[] ogg)
    {
        for (var page = 0; page < ogg.Length;)
        {
            var segments = ogg[page + 26];
            page += 27 + segments + ogg.AsSpan(page + 27, segments).ToArray().Sum(lacing => lacing);
            yield return page;
        }
    }
}
