using System.Runtime.InteropServices;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Reduces a stream of 16-bit PCM at 48 kHz, in the machine's byte order, to the peaks of a waveform.</summary>
internal sealed class PeakMeter
{
    private const int BufferSize = ChunkFormat.SampleRate * sizeof(short);

    private readonly int[] _peaks;
    private readonly long _samples;
    private long _read;

    /// <param name="length">The expected length. Samples beyond it count towards the last peak.</param>
    public PeakMeter(TimeSpan length)
    {
        _samples = Math.Max(1, (long)(length.TotalSeconds * ChunkFormat.SampleRate));
        _peaks = new int[Math.Min(RecordingWaveforms.MaxPeaks, _samples)];
    }

    public bool HasRead => _read > 0;

    /// <summary>Full scale is 1.</summary>
    public IReadOnlyList<double> Peaks => [.. _peaks.Select(peak => Math.Round(peak / (double)-short.MinValue, 3))];

    public async Task ReadAsync(Stream pcm, CancellationToken cancellation)
    {
        var buffer = new byte[BufferSize];
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
            var peak = (int)Math.Min(_peaks.Length - 1, _read * _peaks.Length / _samples);
            var end = ((peak + 1) * _samples + _peaks.Length - 1) / _peaks.Length;
            var stretch = peak == _peaks.Length - 1 ? samples : samples[..(int)Math.Min(samples.Length, end - _read)];
            foreach (var sample in stretch)
                _peaks[peak] = Math.Max(_peaks[peak], Math.Abs((int)sample));
            _read += stretch.Length;
            samples = samples[stretch.Length..];
        }
    }
}
