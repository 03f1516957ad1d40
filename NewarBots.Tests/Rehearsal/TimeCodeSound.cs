using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

/// <summary>Generates the time code directly, as a perfect recording would contain it.</summary>
internal static class TimeCodeSound
{
    /// <param name="seconds">The length.</param>
    /// <param name="from">The meeting's time at the first sample, in seconds.</param>
    /// <param name="participants">The participants who speak, all the time.</param>
    public static float[] Generate(double seconds, double from = 0, params int[] participants)
    {
        var samples = new float[(int)(seconds * AudioFile.SampleRate)];
        foreach (var participant in participants is [] ? [0, 1, 2] : participants)
        {
            var (phase, voice) = (0.0, TimeCode.Voices[participant]);
            for (var i = 0; i < samples.Length; i++)
            {
                samples[i] += (float)(TimeCode.Level * Math.Sin(phase));
                phase += 2 * Math.PI * voice.FrequencyAt((long)(from + (double)i / AudioFile.SampleRate)) / AudioFile.SampleRate;
            }
        }

        return samples;
    }

    /// <param name="samples">A recording.</param>
    /// <param name="from">In seconds.</param>
    /// <param name="to">In seconds.</param>
    public static float[] Part(this float[] samples, double from, double to = double.PositiveInfinity) =>
        samples[(int)(from * AudioFile.SampleRate)..(int)Math.Min(samples.Length, to * AudioFile.SampleRate)];

    public static float[] Silence(double seconds) => new float[(int)(seconds * AudioFile.SampleRate)];
}
