using System.Text.Json;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Creates the waveform of a recording on the first request and keeps it beside the recording, so that a browser can show four hours of
/// audio without decoding them.
/// </summary>
internal sealed partial class RecordingWaveforms(FFmpeg ffmpeg, TimeProvider time, ILogger<RecordingWaveforms> logger) : IDisposable
{
    /// <summary>Enough to zoom into one minute of an hour.</summary>
    public const int MaxPeaks = 20_000;

    public const int MaxWaitingOfOneUser = 5;

    // One decoding at a time; a concurrent request for the same waveform then finds the file.
    private readonly SemaphoreSlim _slot = new(1);

    /// <summary>By the folder of the user's recordings.</summary>
    private readonly WaitingLimit<string> _waiting = new(MaxWaitingOfOneUser);

    private readonly FailedConversions _failed = new(time);

    /// <param name="recording">A finished recording.</param>
    /// <param name="length">The recording's length.</param>
    /// <param name="cancellation">Cancels the decoding.</param>
    /// <returns>The path of a file with a <see cref="Waveform"/> as JSON; <see langword="null"/> if too many requests of its user wait.</returns>
    /// <exception cref="FailedEarlierException">An earlier attempt failed, and it is too early for the next.</exception>
    /// <exception cref="FinalizationException">The recording cannot be decoded.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable, or the recording was deleted meanwhile.</exception>
    public async Task<string?> CreateAsync(string recording, TimeSpan length, CancellationToken cancellation)
    {
        var target = StorageLayout.Waveform(recording);
        if (File.Exists(target))
            return target;
        using var place = _waiting.TryEnter(Path.GetDirectoryName(recording)!);
        if (place is null)
            return null;
        await _slot.WaitAsync(cancellation);
        try
        {
            if (!File.Exists(target))
                await TryCreateAsync(recording, length, target, cancellation);
            return target;
        }
        finally
        {
            _slot.Release();
        }
    }

    public void Dispose() => _slot.Dispose();

    private async Task TryCreateAsync(string recording, TimeSpan length, string target, CancellationToken cancellation)
    {
        _failed.ThrowIfTooEarly(target);
        try
        {
            await CreateAsync(recording, length, target, cancellation);
            _failed.Forget(target);
        }
        catch (Exception exception) when (exception is not FileNotFoundException && !cancellation.IsCancellationRequested)
        {
            _failed.Add(target, exception);
            LogFailed(Path.GetFileNameWithoutExtension(recording), exception.Message);
            throw;
        }
    }

    private async Task CreateAsync(string recording, TimeSpan length, string target, CancellationToken cancellation)
    {
        var meter = new PeakMeter(length);
        await ffmpeg.RunAsync(
            new([.. FFmpegPcm.Arguments("pipe:0")], length)
            {
                Input = recording,
                Output = new((pcm, token) => (meter = new PeakMeter(length)).ReadAsync(pcm, token), () => meter.HasRead),
            },
            cancellation);

        // A unique name, because another manager may create the same waveform.
        var temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}{RecordingConverter.TemporarySuffix}");
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                JsonSerializer.Serialize(file, new Waveform(length.TotalSeconds, meter.Peaks), JsonSerializerOptions.Web);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }

        // A deletion removes the recording before the waveform, so either this check or the deletion finds the other's file.
        if (File.Exists(recording))
            return;
        File.Delete(target);
        throw new FileNotFoundException("The recording was deleted while its waveform was created.", recording);
    }

    [LoggerMessage(LogLevel.Error, "Creating the waveform of recording {Recording} failed, a later request tries again: {Error}")]
    private partial void LogFailed(string recording, string error);
}

/// <param name="DurationSeconds">The recording's length.</param>
/// <param name="Peaks">The highest amplitude in each of equally long parts; full scale is 1.</param>
internal sealed record Waveform(double DurationSeconds, IReadOnlyList<double> Peaks);
