using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

/// <summary>A second of the meeting, or a part of it, as decoded from one voice.</summary>
/// <param name="Start">Its first sample.</param>
/// <param name="End">The sample after its last one.</param>
/// <param name="Second">Since the start of the meeting.</param>
internal readonly record struct HeardSecond(int Start, int End, long Second)
{
    /// <summary>In seconds.</summary>
    public double Length => (End - Start) / (double)AudioFile.SampleRate;
}

/// <summary>
/// Determines which second of the meeting each tone stands for. A single voice is ambiguous, because its tones repeat. While the tones
/// follow the clock to about a second, the candidate nearest to the clock counts; otherwise all voices together determine the new time.
/// </summary>
internal static class MeetingSeconds
{
    /// <summary>
    /// The recording is read in pieces without a change of tone. In pieces shorter than this, in seconds, some voices may have changed
    /// before the others.
    /// </summary>
    private const double ShortestReliablePiece = 0.15;

    /// <summary>How far a tone may be from the clock, in seconds, before the clock is set again.</summary>
    private const double ClockTolerance = 1.6;

    /// <summary>
    /// On a busy machine, the voices may be seconds apart. All of them together then stand for a wrong second, which is far from the clock.
    /// Within this many seconds of the clock, each voice is believed by itself.
    /// </summary>
    private const double DelayTolerance = 3.1;

    /// <summary>In seconds. The clock moves further than this only if the voices are not merely delayed.</summary>
    private const double LongestOrdinaryMove = 30;

    /// <returns>The decoded seconds of each voice, in the order of the recording.</returns>
    public static IReadOnlyList<IReadOnlyList<HeardSecond>> Read(float[] samples, IReadOnlyList<TimeCodeVoice> voices)
    {
        var tones = voices.Select(voice => TimeCodeReader.Read(samples, voice)).ToList();
        var pieces = Pieces(tones);
        var heard = voices.Select(_ => new List<HeardSecond>()).ToList();
        if (pieces.Count == 0)
            return heard;

        // The clock: the position of the meeting's second 0 in the recording, in seconds.
        var beginning = pieces.TakeWhile(piece => piece.Start < pieces[0].Start + 5 * AudioFile.SampleRate);
        var longest = beginning.MaxBy(piece => piece.Length)!;
        var clock = longest.Middle - (Agree(longest, voices, near: 0) + 0.5);
        foreach (var piece in pieces)
        {
            var now = piece.Middle - clock;
            if (piece.Length >= ShortestReliablePiece)
            {
                var deviation = piece.Tones.Max(tone => Math.Abs(Nearest(tone.Second, voices[tone.Voice].Seconds, now) + 0.5 - now));
                if (deviation > ClockTolerance)
                {
                    var agreed = Agree(piece, voices, now) + 0.5;
                    if (deviation <= DelayTolerance && Math.Abs(agreed - now) > LongestOrdinaryMove)
                        agreed = now;
                    clock = piece.Middle - agreed;
                    now = agreed;
                }

                // The clock is corrected so that no second begins before or ends after its time.
                var seconds = piece.Tones.Select(tone => Nearest(tone.Second, voices[tone.Voice].Seconds, now)).Order().ToList();
                var second = seconds[seconds.Count / 2];
                clock = Math.Min(clock, piece.Start / (double)AudioFile.SampleRate - second);
                clock = Math.Max(clock, piece.End / (double)AudioFile.SampleRate - second - 1);
                now = piece.Middle - clock;
            }

            foreach (var (voice, residue) in piece.Tones)
            {
                var second = new HeardSecond(piece.Start, piece.End, Nearest(residue, voices[voice].Seconds, now));
                var before = heard[voice];
                if (before.Count > 0 && before[^1].End == second.Start && before[^1].Second == second.Second)
                    before[^1] = before[^1] with { End = second.End };
                else
                    before.Add(second);
            }
        }

        return heard;
    }

    /// <summary>The second nearest to <paramref name="near"/> on which all voices agree.</summary>
    private static long Agree(Piece piece, IReadOnlyList<TimeCodeVoice> voices, double near)
    {
        var (second, round) = (0L, 1L);
        foreach (var (voice, residue) in piece.Tones)
        {
            var seconds = voices[voice].Seconds;
            while (second % seconds != residue)
                second += round;
            round *= seconds;
        }

        return Nearest(second, round, near);
    }

    /// <summary>The second nearest to <paramref name="near"/> that has this residue in its period.</summary>
    private static long Nearest(long residue, long round, double near) =>
        Math.Max(residue % round, residue + round * (long)Math.Round((near - 0.5 - residue) / round));

    private static List<Piece> Pieces(List<IReadOnlyList<HeardTone>> tones)
    {
        var all = tones.SelectMany(voice => voice).ToList();
        var edges = all.Select(tone => tone.Start).Union(all.Select(tone => tone.End)).Order().ToList();
        var next = new int[tones.Count];
        var pieces = new List<Piece>();
        foreach (var (start, end) in edges.Zip(edges.Skip(1)))
        {
            var sounding = new List<(int Voice, int Second)>();
            for (var voice = 0; voice < tones.Count; voice++)
            {
                while (next[voice] < tones[voice].Count && tones[voice][next[voice]].End <= start)
                    next[voice]++;
                if (next[voice] < tones[voice].Count && tones[voice][next[voice]] is var tone && tone.Start <= start)
                    sounding.Add((voice, tone.Second));
            }

            if (sounding.Count > 0)
                pieces.Add(new(start, end, sounding));
        }

        return pieces;
    }

    private sealed record Piece(int Start, int End, IReadOnlyList<(int Voice, int Second)> Tones)
    {
        public double Middle => (Start + End) / 2.0 / AudioFile.SampleRate;

        public double Length => (End - Start) / (double)AudioFile.SampleRate;
    }
}
