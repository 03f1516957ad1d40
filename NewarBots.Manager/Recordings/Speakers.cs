using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Who spoke when, for the manifest: the pieces of the recorder's journal put together.</summary>
internal static class Speakers
{
    /// <summary>Pieces of one stretch touch; this much rounding is none (seconds).</summary>
    private const double Touching = 0.011;

    /// <param name="pieces">In any order.</param>
    /// <param name="durationSeconds">The recording's length: nobody speaks behind its end.</param>
    /// <returns>Each source, once for each name that it had, in order of their first words.</returns>
    public static IReadOnlyList<ManifestSpeaker> Of(IEnumerable<Speech> pieces, double durationSeconds) =>
    [
        .. pieces
            .Where(piece => piece.StartSeconds < durationSeconds)
            .Select(piece => piece with { EndSeconds = Math.Min(piece.EndSeconds, durationSeconds) })
            .GroupBy(piece => piece.Source)
            .SelectMany(source => Named([.. source]))
            .GroupBy(piece => (piece.Source, piece.Name))
            .Select(speaker => Describe(speaker.Key.Source, speaker.Key.Name, [.. Joined(speaker.OrderBy(piece => piece.StartSeconds))]))
            .OrderBy(speaker => speaker.Segments[0].StartSeconds)
            .ThenBy(speaker => speaker.Source, StringComparer.Ordinal),
    ];

    /// <summary>A source that has one name has had it from the start, when the page had not told it yet.</summary>
    private static IEnumerable<Speech> Named(IReadOnlyList<Speech> pieces)
    {
        var names = pieces.Select(piece => piece.Name).OfType<string>().Distinct().ToList();
        return names is [var only] ? pieces.Select(piece => piece with { Name = only }) : pieces;
    }

    private static IEnumerable<SpeakerSegment> Joined(IEnumerable<Speech> pieces)
    {
        SpeakerSegment? last = null;
        var (power, seconds) = (0d, 0d);
        foreach (var piece in pieces)
        {
            var length = piece.EndSeconds - piece.StartSeconds;
            if (last is not null && piece.StartSeconds <= last.EndSeconds + Touching)
            {
                power += Math.Pow(10, piece.Level / 10.0) * length;
                seconds += length;
                last = last with
                {
                    EndSeconds = Math.Max(last.EndSeconds, piece.EndSeconds),
                    Level = (int)Math.Round(10 * Math.Log10(power / seconds)),
                };
                continue;
            }

            if (last is not null)
                yield return last;
            last = new(piece.StartSeconds, piece.EndSeconds, piece.Level);
            (power, seconds) = (Math.Pow(10, piece.Level / 10.0) * length, length);
        }

        if (last is not null)
            yield return last;
    }

    private static ManifestSpeaker Describe(string source, string? name, IReadOnlyList<SpeakerSegment> segments) =>
        new(source, name, Math.Round(segments.Sum(segment => segment.EndSeconds - segment.StartSeconds), 2), segments);
}

/// <param name="Source"><c>csrc:</c> and the contributing source's number, or <c>track:</c> and the track's.</param>
/// <param name="Name">What the page called whom it marked as speaking meanwhile.</param>
/// <param name="SpokenSeconds">All segments together.</param>
/// <param name="Segments">In order, none touching another.</param>
internal sealed record ManifestSpeaker(string Source, string? Name, double SpokenSeconds, IReadOnlyList<SpeakerSegment> Segments);

/// <param name="StartSeconds">On the recording's time line.</param>
/// <param name="EndSeconds">To here.</param>
/// <param name="Level">Mean loudness in dBFS (RMS).</param>
internal sealed record SpeakerSegment(double StartSeconds, double EndSeconds, int Level);
