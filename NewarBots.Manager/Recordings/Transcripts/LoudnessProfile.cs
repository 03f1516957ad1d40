using System.Runtime.InteropServices;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>The level of a recording in each tenth of a second, to find silences.</summary>
/// <param name="powers">Mean square of the samples in each window; full scale is 1.</param>
internal sealed class LoudnessProfile(IReadOnlyList<float> powers)
{
    public const int WindowsPerSecond = 10;

    /// <summary>Mean level in dBFS from which sound counts as speech. A quiet voice is at about -45.</summary>
    private const double SpeechLevel = -50;

    private static readonly double SpeechPower = Math.Pow(10, SpeechLevel / 10);

    /// <summary>A cut needs this many quiet windows in a row.</summary>
    private const int CutWindows = 3;

    /// <summary>Stretches that are loud enough for speech. Those that are closer together than <paramref name="pause"/> are one.</summary>
    public IEnumerable<Stretch> Loud(double pause)
    {
        var (start, end) = (-1, -1);
        for (var window = 0; window < powers.Count; window++)
        {
            if (powers[window] < SpeechPower)
                continue;
            if (start >= 0 && window - end > pause * WindowsPerSecond)
            {
                yield return Of(start, end);
                start = -1;
            }

            start = start < 0 ? window : start;
            end = window + 1;
        }

        if (start >= 0)
            yield return Of(start, end);

        static Stretch Of(int start, int end) => new((double)start / WindowsPerSecond, (double)end / WindowsPerSecond);
    }

    /// <returns>The middle of the quietest moment between two times; the latest one if several are equally quiet.</returns>
    public double Quietest(double from, double to)
    {
        var first = Math.Clamp((int)Math.Ceiling(from * WindowsPerSecond), 0, powers.Count);
        var last = Math.Clamp((int)(to * WindowsPerSecond), 0, powers.Count) - CutWindows;
        var (best, least) = (-1, float.PositiveInfinity);
        for (var window = first; window <= last; window++)
        {
            var loudest = 0f;
            for (var part = window; part < window + CutWindows; part++)
                loudest = Math.Max(loudest, powers[part]);
            if (loudest <= least)
                (best, least) = (window, loudest);
        }

        return best < 0 ? to : (best + (CutWindows / 2.0)) / WindowsPerSecond;
    }
}

/// <summary>Times in seconds.</summary>
internal readonly record struct Stretch(double Start, double End)
{
    public double Length => End - Start;

    public double Middle => (Start + End) / 2;

    /// <returns>The part within the limits; its length is negative if there is none.</returns>
    public Stretch Within(double from, double to) => new(Math.Max(Start, from), Math.Min(End, to));
}

/// <summary>Measures 16-bit PCM at 48 kHz, in the machine's byte order.</summary>
internal sealed class LoudnessMeter
{
    private const int WindowSamples = ChunkFormat.SampleRate / LoudnessProfile.WindowsPerSecond;

    private readonly List<float> _powers = [];

    public bool HasRead => _powers.Count > 0;

    public LoudnessProfile Profile => new(_powers);

    public async Task ReadAsync(Stream pcm, CancellationToken cancellation)
    {
        var buffer = new byte[LoudnessProfile.WindowsPerSecond * WindowSamples * sizeof(short)];
        int read;
        do
        {
            read = await pcm.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            Measure(MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, read)));
        }
        while (read == buffer.Length);
    }

    /// <param name="samples">Whole windows, except at the end of the recording.</param>
    public void Measure(ReadOnlySpan<short> samples)
    {
        for (; samples.Length > 0; samples = samples[Math.Min(samples.Length, WindowSamples)..])
        {
            var energy = 0L;
            foreach (var sample in samples[..Math.Min(samples.Length, WindowSamples)])
                energy += sample * sample;
            _powers.Add((float)((double)energy / Math.Min(samples.Length, WindowSamples) / ((double)short.MinValue * short.MinValue)));
        }
    }
}
