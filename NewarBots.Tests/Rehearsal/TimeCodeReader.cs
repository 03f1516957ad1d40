using System.Numerics;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

/// <summary>One tone of one voice, as decoded from a recording.</summary>
/// <param name="Start">Its first sample, to 5 ms.</param>
/// <param name="End">The sample after its last one, to 5 ms.</param>
/// <param name="Second">The second within the voice's period that it stands for, from 0 to <see cref="TimeCodeVoice.Seconds"/> - 1.</param>
internal readonly record struct HeardTone(int Start, int End, int Second)
{
    public int Length => End - Start;
}

/// <summary>Decodes one voice of the time code from a mix: which of its tones sounds when.</summary>
internal static class TimeCodeReader
{
    /// <summary>5 ms.</summary>
    private const int Hop = AudioFile.SampleRate / 200;

    /// <summary>Tones are detected in windows of 40 ms: neighbouring tones, at least 40 Hz away, are beyond the first zero of the window's spectrum.</summary>
    private const int HopsInWindow = 8;

    /// <summary>Shorter tones are artefacts of a change between two others.</summary>
    private const int HopsInShortestTone = 4;

    /// <summary>Takes 48 kHz mono. Silence and tones of other voices are left out.</summary>
    public static IReadOnlyList<HeardTone> Read(ReadOnlySpan<float> samples, TimeCodeVoice voice)
    {
        var hops = samples.Length / Hop;
        var loudest = new float[hops];
        var heard = new int[hops];
        Array.Fill(heard, -1);
        for (var second = 0; second < voice.Seconds; second++)
        {
            var levels = Levels(samples, voice.FrequencyAt(second));
            for (var hop = 0; hop < hops; hop++)
            {
                if (levels[hop] >= TimeCode.Level / 4 && levels[hop] > loudest[hop])
                    (loudest[hop], heard[hop]) = ((float)levels[hop], second);
            }
        }

        return Join(heard);
    }

    /// <summary>The peak of the tone in the window around each hop.</summary>
    private static double[] Levels(ReadOnlySpan<float> samples, int frequency)
    {
        var levels = new double[samples.Length / Hop];
        var parts = new Complex[levels.Length];
        for (var hop = 0; hop < parts.Length; hop++)
            parts[hop] = Goertzel(samples.Slice(hop * Hop, Hop), frequency) * Turn(-(long)frequency * hop * Hop);

        var sum = Complex.Zero;
        for (var hop = 0; hop < parts.Length + HopsInWindow / 2; hop++)
        {
            if (hop < parts.Length)
                sum += parts[hop];
            if (hop >= HopsInWindow)
                sum -= parts[hop - HopsInWindow];
            if (hop - HopsInWindow / 2 is >= 0 and var centre && centre < levels.Length)
                levels[centre] = 2 * sum.Magnitude / (HopsInWindow * Hop);
        }

        return levels;
    }

    private static Complex Goertzel(ReadOnlySpan<float> samples, int frequency)
    {
        var factor = 2 * Turn(frequency).Real;
        double last = 0, beforeLast = 0;
        foreach (var sample in samples)
            (last, beforeLast) = (sample + factor * last - beforeLast, last);
        return Turn(-(long)frequency * (samples.Length - 1)) * (last - Turn(-frequency) * beforeLast);
    }

    /// <summary>The unit vector of a tone's phase; the argument is its frequency multiplied by the number of samples.</summary>
    private static Complex Turn(long cycles) =>
        Complex.FromPolarCoordinates(1, 2 * Math.PI * (cycles % AudioFile.SampleRate) / AudioFile.SampleRate);

    private static List<HeardTone> Join(int[] heard)
    {
        var tones = new List<HeardTone>();
        for (int start = 0, end; start < heard.Length; start = end)
        {
            for (end = start + 1; end < heard.Length && heard[end] == heard[start];)
                end++;
            if (heard[start] < 0 || end - start < HopsInShortestTone)
                continue;
            var tone = new HeardTone(start * Hop, end * Hop, heard[start]);
            // The artefact between two tones is split between them.
            if (tones.Count > 0 && tones[^1] is var before && tone.Start - before.End is > 0 and < HopsInShortestTone * 2 * Hop)
            {
                var middle = (tone.Start + before.End) / 2;
                tones[^1] = before with { End = middle };
                tone = tone with { Start = middle };
            }

            if (tones.Count > 0 && tones[^1] is var same && same.Second == tone.Second && same.End == tone.Start)
                tones[^1] = same with { End = tone.End };
            else
                tones.Add(tone);
        }

        return tones;
    }
}
