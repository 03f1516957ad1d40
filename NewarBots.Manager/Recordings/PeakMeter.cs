using System.Runtime.InteropServices;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Reduces 16-bit PCM at 48 kHz, as this machine orders its bytes, to the peaks of a waveform as it comes by.</summary>
internal sealed class PeakMeter
{
    private const int BytesAtOnce = ChunkFormat.SampleRate * sizeof(short);

    private readonly int[] _peaks;
    private readonly long _samples;
    private long _read;

    /// <param name="length">How much there will be. What comes behind it counts to the last peak.</param>
    public PeakMeter(TimeSpan length)
    {
        _samples = Math.Max(1, (long)(length.TotalSeconds * ChunkFormat.SampleRate));
        _peaks = new int[Math.Min(RecordingWaveforms.MaxPeaks, _samples)];
    }

    /// <summary>Of full scale 1.</summary>
    public IReadOnlyList<double> Peaks => [.. _peaks.Select(peak => Math.Round(peak / (double)-short.MinValue, 3))];

    public async Task ReadAsync(Stream pcm, CancellationToken cancellation)
    {
        var buffer = new byte[BytesAtOnce];
        int read;
        do
        {
            read = await pcm.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            Measure(MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, read)));
        }
        while (read == buffer.Length);
    }

    public void Measure(ReadOnlySpan<short> samples)
    {
        while (samples.Length > 0)
        {
            var at = (int)Math.Min(_peaks.Length - 1, _read * _peaks.Length / _samples);
            var end = ((at + 1) * _samples + _peaks.Length - 1) / _peaks.Length;
            var stretch = at == _peaks.Length - 1 ? samples : samples[..(int)Math.Min(samples.Length, end - _read)];
            foreach (var sample in stretch)
                _peaks[at] = Math.Max(_peaks[at], Math.Abs((int)sample));
            _read += stretch.Length;
            samples = samples[stretch.Length..];
        }
    }
}
