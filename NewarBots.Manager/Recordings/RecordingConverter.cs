using System.Collections.Concurrent;
using CliWrap;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Makes a recording's other formats, each when it is asked for first, and keeps them beside it. Whoever asks meanwhile waits for
/// the same run; one that was begun goes on when nobody waits any more.
/// </summary>
internal sealed partial class RecordingConverter(
    StorageLayout storage,
    FFmpeg ffmpeg,
    IOptions<FinalizingOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<RecordingConverter> logger) : IDisposable
{
    public const string Unfinished = ".unfinished";

    /// <summary>What has not been written to for so long, nobody writes any more: a manager was killed over it.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrent);
    private readonly ConcurrentDictionary<string, Lazy<Task>> _running = new();

    /// <param name="recording">A finished file: a recording's, or that of one of its tracks.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="format">What is wanted.</param>
    /// <param name="patience">How long to wait for it.</param>
    /// <param name="cancellation">Ends the waiting alone.</param>
    /// <returns>The file; <see langword="null"/> where it takes longer, and is being made.</returns>
    /// <exception cref="FinalizationException">The recording cannot be converted.</exception>
    /// <exception cref="FFmpegMissingException">There is no FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone, or the recording was just deleted.</exception>
    public async Task<string?> ConvertAsync(
        string recording, TimeSpan length, AudioFormat format, TimeSpan patience, CancellationToken cancellation)
    {
        var target = StorageLayout.Converted(recording, format.Name);
        if (File.Exists(target))
            return target;
        var run = _running.GetOrAdd(target, _ => new(() => RunAsync(recording, length, format, target)));
        try
        {
            await run.Value.WaitAsync(patience, time, cancellation);
            return target;
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Removes what conversions that were killed have left.</summary>
    public void DeleteAbandonedFiles()
    {
        if (!Directory.Exists(storage.FinalRoot))
            return;
        foreach (var file in new DirectoryInfo(storage.FinalRoot).EnumerateFiles($".*{Unfinished}", SearchOption.AllDirectories))
        {
            if (time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > AbandonedAfter)
                file.Delete();
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task RunAsync(string recording, TimeSpan length, AudioFormat format, string target)
    {
        // Not on the time of the one who happened to ask first.
        await Task.Yield();
        try
        {
            await _places.WaitAsync(lifetime.ApplicationStopping);
            try
            {
                await ConvertAsync(recording, length, format, target);
            }
            finally
            {
                _places.Release();
            }
        }
        finally
        {
            _running.TryRemove(target, out _);
        }
    }

    private async Task ConvertAsync(string recording, TimeSpan length, AudioFormat format, string target)
    {
        // A name of its own: another manager may be just as far.
        var beside = Path.Combine(
            Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}{Unfinished}");
        try
        {
            string[] arguments =
            [
                "-xerror", "-i", $"file:{recording}", "-map", "0:a:0", "-map_metadata", "-1", "-map_metadata:s", "-1",
                .. format.Encoding, "-y", $"file:{beside}",
            ];
            var begun = time.GetTimestamp();
            await ffmpeg.RunAsync(arguments, length, () => PipeTarget.Null, lifetime.ApplicationStopping);
            await using (var file = new FileStream(beside, FileMode.Open, FileAccess.Write))
                file.Flush(flushToDisk: true);
            File.Move(beside, target, overwrite: true);
            Log.Converted(logger, target, length, time.GetElapsedTime(begun));
        }
        finally
        {
            File.Delete(beside);
        }

        // Deleted meanwhile: whoever deletes takes the recording first, so that one of the two sees the other's file.
        if (File.Exists(recording))
            return;
        File.Delete(target);
        throw new FileNotFoundException("The recording was deleted while it was converted.", recording);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Made {File} of {Length} of audio in {Elapsed}")]
        public static partial void Converted(ILogger logger, string file, TimeSpan length, TimeSpan elapsed);
    }
}
