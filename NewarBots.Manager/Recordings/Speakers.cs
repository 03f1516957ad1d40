using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Merges the speech pieces of the recorder's journal into the speakers of the manifest.</summary>
internal static class Speakers
{
    /// <summary>Pieces no farther apart than this belong together (seconds, for rounding).</summary>
    private const double RoundingTolerance = 0.011;

    /// <summary>Speakers that a manifest lists. The largest meetings have 1,000 participants.</summary>
    public const int Most = 1000;

    /// <summary>Segments of all speakers together, for each second of the recording: three people at once, in turns of two seconds.</summary>
    private const double SegmentsPerSecond = 1.5;

    /// <summary>Segments that even the shortest recording may have.</summary>
    private const int LeastSegments = 1000;

    /// <summary>Limits the speakers to what a recorder can report in the time.</summary>
    /// <param name="all">All speakers.</param>
    /// <param name="durationSeconds">Length of the recording.</param>
    /// <param name="isCut">Whether speakers or segments were left out.</param>
    public static IReadOnlyList<ManifestSpeaker> Limit(IReadOnlyList<ManifestSpeaker> all, double durationSeconds, out bool isCut)
    {
        var segments = LeastSegments + (int)(SegmentsPerSecond * Math.Max(0, durationSeconds));
        var listed = new List<ManifestSpeaker>();
        foreach (var speaker in all.Take(Most))
        {
            if (segments <= 0)
                break;
            var kept = speaker.Segments.Take(segments).ToList();
            segments -= kept.Count;
            listed.Add(kept.Count == speaker.Segments.Count ? speaker : Describe(speaker.Source, speaker.Name, kept));
        }

        isCut = listed.Sum(speaker => speaker.Segments.Count) < all.Sum(speaker => speaker.Segments.Count);
        return listed;
    }

    /// <param name="pieces">In any order.</param>
    /// <param name="durationSeconds">Length of the recording. Later speech is cut off.</param>
    /// <returns>One speaker per source and name, in order of their first segment.</returns>
    public static IReadOnlyList<ManifestSpeaker> Of(IEnumerable<Speech> pieces, double durationSeconds) =>
    [
        .. pieces
            .Where(piece => piece.StartSeconds < durationSeconds)
            .Select(piece => piece with { EndSeconds = Math.Min(piece.EndSeconds, durationSeconds) })
            .GroupBy(piece => piece.Source)
            .SelectMany(source => WithName([.. source]))
            .GroupBy(piece => (piece.Source, piece.Name))
            .Select(speaker => Describe(speaker.Key.Source, speaker.Key.Name, [.. MergeSegments(speaker.OrderBy(piece => piece.StartSeconds))]))
            .OrderBy(speaker => speaker.Segments[0].StartSeconds)
            .ThenBy(speaker => speaker.Source, StringComparer.Ordinal),
    ];

    /// <summary>A source with a single name gets it for all pieces, including those before the page showed the name.</summary>
    private static IEnumerable<Speech> WithName(IReadOnlyList<Speech> pieces)
    {
        var names = pieces.Select(piece => piece.Name).OfType<string>().Distinct().ToList();
        return names is [var only] ? pieces.Select(piece => piece with { Name = only }) : pieces;
    }

    private static IEnumerable<SpeakerSegment> MergeSegments(IEnumerable<Speech> pieces)
    {
        SpeakerSegment? last = null;
        var (power, seconds) = (0d, 0d);
        foreach (var piece in pieces)
        {
            var length = piece.EndSeconds - piece.StartSeconds;
            if (last is not null && piece.StartSeconds <= last.EndSeconds + RoundingTolerance)
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

/// <param name="Source"><c>csrc:</c> and the number of the RTP contributing source, or <c>track:</c> and the track number.</param>
/// <param name="Name">Name of the participant that the page marked as speaking.</param>
/// <param name="SpokenSeconds">Total length of all segments.</param>
/// <param name="Segments">In order, without overlaps.</param>
internal sealed record ManifestSpeaker(string Source, string? Name, double SpokenSeconds, IReadOnlyList<SpeakerSegment> Segments);

/// <param name="StartSeconds">Start on the recording's timeline.</param>
/// <param name="EndSeconds">End on the recording's timeline.</param>
/// <param name="Level">Mean level in dBFS (RMS).</param>
internal sealed record SpeakerSegment(double StartSeconds, double EndSeconds, int Level);
