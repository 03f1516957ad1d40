using System.Text.Json;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// How loud a recording is where: made when it is asked for first, and kept beside the recording. So a page can show four hours
/// without decoding them.
/// </summary>
internal sealed class RecordingWaveforms(FFmpeg ffmpeg) : IDisposable
{
    public const int MaxPeaks = 2000;

    // One at a time: who asks for the same one finds it made.
    private readonly SemaphoreSlim _place = new(1);

    /// <param name="recording">A finished recording.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="cancellation">Nobody waits for it any more.</param>
    /// <returns>A file: <see cref="Waveform"/> as JSON.</returns>
    /// <exception cref="FinalizationException">The recording cannot be decoded.</exception>
    /// <exception cref="FFmpegMissingException">There is no FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone, or the recording was just deleted.</exception>
    public async Task<string> MakeAsync(string recording, TimeSpan length, CancellationToken cancellation)
    {
        var target = StorageLayout.Waveform(recording);
        if (File.Exists(target))
            return target;
        await _place.WaitAsync(cancellation);
        try
        {
            if (!File.Exists(target))
                await MakeAsync(recording, length, target, cancellation);
            return target;
        }
        finally
        {
            _place.Release();
        }
    }

    public void Dispose() => _place.Dispose();

    private async Task MakeAsync(string recording, TimeSpan length, string target, CancellationToken cancellation)
    {
        var meter = new PeakMeter(length);
        string[] arguments =
        [
            "-xerror", "-i", $"file:{recording}", "-map", "0:a:0", "-ac", $"{ChunkFormat.Channels}", "-ar", $"{ChunkFormat.SampleRate}",
            "-af", "asetnsamples=n=48000:p=0", "-f", BitConverter.IsLittleEndian ? "s16le" : "s16be", "pipe:1",
        ];
        await ffmpeg.RunAsync(
            arguments, length, () => PipeTarget.Create((pcm, token) => (meter = new PeakMeter(length)).ReadAsync(pcm, token)), cancellation);

        // A name of its own: another manager may be just as far.
        var beside = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}{RecordingConverter.Unfinished}");
        try
        {
            await using (var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write))
            {
                JsonSerializer.Serialize(file, new Waveform(length.TotalSeconds, meter.Peaks), JsonSerializerOptions.Web);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, target, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }

        // Deleted meanwhile: whoever deletes takes the recording first, so that one of the two sees the other's file.
        if (File.Exists(recording))
            return;
        File.Delete(target);
        throw new FileNotFoundException("The recording was deleted while its waveform was made.", recording);
    }
}

/// <param name="DurationSeconds">Of the whole.</param>
/// <param name="Peaks">The highest amplitude in each of as many stretches of one length, of full scale 1.</param>
internal sealed record Waveform(double DurationSeconds, IReadOnlyList<double> Peaks);
