namespace NewarBots.Tests.Recording;

internal static class Tone
{
    /// <summary>The longest time in seconds for which a tone is audible without a break of 100 ms.</summary>
    public static double LongestSeconds(float[] audio, double hz)
    {
        const int window = 4_800;
        var (longest, current) = (0, 0);
        for (var start = 0; start + window <= audio.Length; start += window)
        {
            var (real, imaginary) = (0.0, 0.0);
            for (var i = start; i < start + window; i++)
            {
                var (sine, cosine) = Math.SinCos(2 * Math.PI * hz * i / 48_000);
                real += audio[i] * cosine;
                imaginary += audio[i] * sine;
            }

            var level = 2 * Math.Sqrt((real * real) + (imaginary * imaginary)) / window;
            current = level > 0.05 ? current + 1 : 0;
            longest = Math.Max(longest, current);
        }

        return longest * window / 48_000.0;
    }
}
