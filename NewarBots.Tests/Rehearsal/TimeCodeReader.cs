using System.Numerics;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

/// <summary>One tone of one voice, as it was heard.</summary>
/// <param name="Start">Its first sample, to 5 ms.</param>
/// <param name="End">The first sample behind it, to 5 ms.</param>
/// <param name="Second">Which of the voice's seconds it stands for, from 0 to <see cref="TimeCodeVoice.Seconds"/> - 1.</param>
internal readonly record struct HeardTone(int Start, int End, int Second)
{
    public int Length => End - Start;
}

/// <summary>Hears one voice of the time code in a mix: which of its tones sounds when.</summary>
internal static class TimeCodeReader
{
    /// <summary>5 ms.</summary>
    private const int Hop = AudioFile.SampleRate / 200;

    /// <summary>A tone is looked for in 40 ms: its neighbours, 40 Hz away, lie beyond the first zero of its spectrum.</summary>
    private const int HopsInWindow = 8;

    /// <summary>A shorter tone is the blur between two others.</summary>
    private const int HopsInShortestTone = 4;

    /// <summary>In samples 48 kHz mono. What is silent, or is no tone of this voice, is in no entry.</summary>
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

    /// <summary>Peak of the tone in the window around each hop.</summary>
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

    /// <summary>The unit vector that a tone has turned to after so many cycles x samples.</summary>
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
            // The blur belongs half to the tone before it and half to the one behind it.
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
