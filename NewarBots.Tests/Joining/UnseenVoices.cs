using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Joining;

/// <summary>The voices of <c>UnseenPages/call.js</c>: each has its own tone.</summary>
internal static class UnseenVoices
{
    /// <summary>The part of a second that is examined at once.</summary>
    private const double Window = 0.1;

    /// <summary>A third of the tones' amplitude.</summary>
    private const double MinAmplitude = 0.05;

    private static readonly int[] Frequencies = [440, 1010, 1700, 2600];

    public static int Count => Frequencies.Length;

    /// <param name="audio">48 kHz mono.</param>
    /// <param name="voice">The number of the voice.</param>
    /// <returns>For how many seconds the voice is heard.</returns>
    public static double SecondsHeard(float[] audio, int voice) =>
        Window * audio.Chunk((int)(Window * AudioFile.SampleRate)).Count(window => Amplitude(window, Frequencies[voice]) >= MinAmplitude);

    /// <summary>Goertzel's algorithm.</summary>
    private static double Amplitude(float[] window, int frequency)
    {
        var coefficient = 2 * Math.Cos(2 * Math.PI * frequency / AudioFile.SampleRate);
        var (before, last) = (0.0, 0.0);
        foreach (var sample in window)
            (before, last) = (last, sample + coefficient * last - before);
        return 2 * Math.Sqrt(before * before + last * last - coefficient * before * last) / window.Length;
    }
}
