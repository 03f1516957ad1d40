using System.Buffers.Binary;
using CliWrap;

namespace NewarBots.Tests.Recording;

/// <summary>Reads Ogg files, directly and with FFmpeg.</summary>
internal static class OggFiles
{
    /// <summary>Decodes a file to samples. Throws if the decoder reports any warning.</summary>
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

    /// <summary>Concatenates files by stream copy, as the manager does.</summary>
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

    /// <summary>The packets of an Ogg file, including headers.</summary>
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

    /// <summary>The offsets at which the pages of an Ogg file end.</summary>
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
