using System.Globalization;
using CliWrap;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Puts files end to end with FFmpeg's concat demuxer, packet by packet as they are. Each file's length is stated, in whole
/// packets, so that no file begins where FFmpeg guesses that the one before it ended: guessed from running timestamps, an
/// hour once became 649,802 seconds.
/// </summary>
internal sealed class FFmpegConcatenator(FFmpeg ffmpeg)
{
    /// <param name="parts">Files like chunks, whose granule positions begin at zero, with their lengths in packets.</param>
    /// <param name="session">Noted in the result's tags.</param>
    /// <param name="target">The result, a file beside which the list of the parts is left.</param>
    /// <param name="cancellation">Kills FFmpeg.</param>
    public async Task ConcatenateAsync(
        IReadOnlyList<ConcatenationPart> parts, SessionId session, string target, CancellationToken cancellation)
    {
        var list = target + ".parts";
        await File.WriteAllLinesAsync(list, ["ffconcat version 1.0", .. parts.SelectMany(Lines)], cancellation);
        string[] arguments =
        [
            "-xerror", "-f", "concat", "-safe", "0", "-i", $"file:{list}",
            "-map", "0:a:0", "-c", "copy",
            // The same parts give the same bytes: no version, no random serial number, none of the first chunk's own tags.
            "-map_metadata", "-1", "-map_metadata:s", "-1", "-fflags", "+bitexact",
            "-metadata:s:a:0", $"{ChunkFormat.SessionTag}={session}",
            "-f", "ogg", "-y", $"file:{target}",
        ];
        var packets = parts.Sum(part => part.Packets);
        await ffmpeg.RunAsync(arguments, TimeSpan.FromSeconds(ChunkManifest.Seconds(packets)), () => PipeTarget.Null, cancellation);
    }

    private static IEnumerable<string> Lines(ConcatenationPart part) =>
    [
        $"file 'file:{part.Path.Replace("'", @"'\''", StringComparison.Ordinal)}'",
        $"duration {ChunkManifest.Seconds(part.Packets).ToString("0.00", CultureInfo.InvariantCulture)}",
    ];
}

internal readonly record struct ConcatenationPart(string Path, long Packets);
