using NewarBots.Contract;

namespace NewarBots.Tests.Recording;

internal static class Tone
{
    /// <summary>The length of the pieces in which a tone is looked for, in samples.</summary>
    private const int Window = 4_800;

    private const double WindowSeconds = Window / 48_000.0;

    /// <summary>The longest time in seconds for which a tone is audible without a break of 100 ms.</summary>
    public static double LongestSeconds(float[] audio, double hz)
    {
        var (longest, current) = (0, 0);
        for (var start = 0; start + Window <= audio.Length; start += Window)
        {
            current = IsAudible(audio, start, hz) ? current + 1 : 0;
            longest = Math.Max(longest, current);
        }

        return longest * WindowSeconds;
    }

    /// <summary>The times at which a tone should be audible, and neither is nor is said to be missing.</summary>
    /// <param name="audio">48 kHz mono.</param>
    /// <param name="hz">The tone.</param>
    /// <param name="from">In seconds of the recording.</param>
    /// <param name="to">In seconds of the recording.</param>
    /// <param name="gaps">The recorder's gaps.</param>
    /// <returns>Start and length of each hole, in seconds.</returns>
    public static IReadOnlyList<(double Start, double Length)> Holes(float[] audio, double hz, double from, double to, IReadOnlyCollection<Gap> gaps)
    {
        var holes = new List<(double Start, double Length)>();
        for (var start = (int)(from / WindowSeconds) * Window; start + Window <= Math.Min(audio.Length, to * 48_000); start += Window)
        {
            var at = start / 48_000.0;
            // A gap may begin and end anywhere in a window.
            if (IsAudible(audio, start, hz) || gaps.Any(gap => gap.StartSeconds < at + (2 * WindowSeconds) && at - WindowSeconds < gap.EndSeconds))
                continue;
            if (holes is [.., var last] && at - last.Start - last.Length < WindowSeconds / 2)
                holes[^1] = (last.Start, last.Length + WindowSeconds);
            else
                holes.Add((at, WindowSeconds));
        }

        return holes;
    }

    /// <summary>
    /// The tone is recorded from <paramref name="from"/> to <paramref name="to"/>, except where a gap says otherwise. The page's own tone may
    /// stutter on a busy machine: up to a tenth of the time in all, and less than half a second at once.
    /// </summary>
    public static void AssertNothingMissing(float[] audio, double hz, double from, double to, IReadOnlyCollection<Gap> gaps)
    {
        Assert.InRange(audio.Length / 48_000.0, to - 0.1, double.MaxValue);
        var holes = Holes(audio, hz, from, to, gaps);
        Assert.True(
            holes.Sum(hole => hole.Length) <= 0.1 * (to - from) && holes.All(hole => hole.Length < 0.45),
            $"{hz} Hz from {from:0.0} s to {to:0.0} s is missing at {string.Join(", ", holes.Select(hole => $"{hole.Start:0.0} s ({hole.Length:0.0} s)"))} with the gaps {string.Join(", ", gaps)}");
    }

    private static bool IsAudible(float[] audio, int start, double hz)
    {
        var (real, imaginary) = (0.0, 0.0);
        for (var i = start; i < start + Window; i++)
        {
            var (sine, cosine) = Math.SinCos(2 * Math.PI * hz * i / 48_000);
            real += audio[i] * cosine;
            imaginary += audio[i] * sine;
        }

        return 2 * Math.Sqrt((real * real) + (imaginary * imaginary)) / Window > 0.05;
    }
}
