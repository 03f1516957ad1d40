using System.Globalization;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Joins files with FFmpeg's concat demuxer, without re-encoding. The list states each file's exact length: FFmpeg would otherwise
/// guess it from the timestamps, and once turned one hour into 649,802 seconds.
/// </summary>
internal sealed class FFmpegConcatenator(FFmpeg ffmpeg)
{
    /// <param name="parts">Ogg Opus files whose granule positions start at zero.</param>
    /// <param name="session">Written into the tags of the result.</param>
    /// <param name="folder">The folder for the result. The list of parts is left there, too.</param>
    /// <param name="target">Name of the result.</param>
    /// <param name="cancellation">Kills FFmpeg.</param>
    public async Task ConcatenateAsync(
        IReadOnlyList<ConcatenationPart> parts, SessionId session, string folder, string target, CancellationToken cancellation)
    {
        var list = $"{target}.parts";
        await File.WriteAllLinesAsync(Path.Combine(folder, list), ["ffconcat version 1.0", .. parts.SelectMany(Lines)], cancellation);
        string[] arguments =
        [
            "-xerror", "-f", "concat", "-safe", "0", .. FFmpeg.Input("concat,ogg", $"file:{list}"),
            "-map", "0:a:0", "-c", "copy",
            // Reproducible output: no version, no random serial number, no tags of the first chunk.
            "-map_metadata", "-1", "-map_metadata:s", "-1", "-fflags", "+bitexact",
            "-metadata:s:a:0", $"{ChunkFormat.SessionTag}={session}",
            "-f", "ogg", "-y", $"file:{target}",
        ];
        var length = TimeSpan.FromSeconds(ChunkManifest.Seconds(parts.Sum(part => part.Packets)));
        await ffmpeg.RunAsync(
            new(arguments, length) { WorkingFolder = folder, Target = target }, cancellation);
    }

    private static IEnumerable<string> Lines(ConcatenationPart part) =>
    [
        $"file 'file:{part.Path.Replace("'", @"'\''", StringComparison.Ordinal)}'",
        $"duration {ChunkManifest.Seconds(part.Packets).ToString("0.00", CultureInfo.InvariantCulture)}",
    ];
}

internal readonly record struct ConcatenationPart(string Path, long Packets);
