namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>Places the speech server's answers on the recording's timeline.</summary>
internal static class TranscriptMerger
{
    /// <summary>Speech at the same time for so long is an overlap (s).</summary>
    private const double LeastOverlap = 0.3;

    /// <summary>The segments of one piece, without words that belong to its neighbours.</summary>
    public static IReadOnlyList<TranscriptSegment> Place(SpeechPiece piece, SpeechAnswer answer)
    {
        if (answer.Text.Length == 0)
            return [];
        var words = answer.Words.Select(word => (Word: word, At: OnTimeline(piece, word))).ToList();
        if (answer.Segments.Count == 0)
        {
            // The middle of each word decides where there are words; otherwise the whole text belongs to the turn.
            var kept = words.Where(word => IsKept(piece, word.At)).ToList();
            if (words.Count > 0 && kept.Count == 0)
                return [];
            var at = kept.Count > 0 ? new(kept[0].At.Start, kept.Max(word => word.At.End)) : piece.At;
            return [Segment(piece, at, kept.Count < words.Count ? TextOf(kept.Select(word => word.Word)) : answer.Text, kept, confidence: null)];
        }

        var placed = new List<TranscriptSegment>();
        var next = 0;
        foreach (var (index, segment) in answer.Segments.Index())
        {
            // Each word belongs to one segment: the first that ends after its middle.
            var own = words.Skip(next).TakeWhile(word => index == answer.Segments.Count - 1 || word.Word.Middle < segment.End).ToList();
            next += own.Count;
            var kept = own.Where(word => IsKept(piece, word.At)).ToList();
            if (own.Count > 0 ? kept.Count == 0 : !IsKept(piece, OnTimeline(piece, segment)))
                continue;
            var at = kept.Count > 0 ? new(kept[0].At.Start, kept.Max(word => word.At.End)) : OnTimeline(piece, segment);
            placed.Add(Segment(piece, at, kept.Count < own.Count ? TextOf(kept.Select(word => word.Word)) : segment.Text, kept, segment.Confidence));
        }

        return placed;
    }

    /// <summary>All segments in order, each with the others who spoke meanwhile.</summary>
    public static IReadOnlyList<TranscriptSegment> Merge(IEnumerable<TranscriptSegment> segments, IReadOnlyList<ManifestSpeaker> speakers) =>
    [
        .. segments
            .OrderBy(segment => segment.Start)
            .ThenBy(segment => segment.End)
            .ThenBy(segment => segment.Source, StringComparer.Ordinal)
            .Select(segment => OthersDuring(segment, speakers) is { Count: > 0 } others ? segment with { Overlaps = others } : segment),
    ];

    private static List<string> OthersDuring(TranscriptSegment segment, IReadOnlyList<ManifestSpeaker> speakers) =>
    [
        .. speakers
            .Where(speaker => !IsSame(speaker, segment) && OverlapOf(speaker.Segments, segment) >= LeastOverlap)
            .Select(speaker => speaker.Name ?? speaker.Source)
            .Distinct(),
    ];

    /// <summary>A participant who rejoins has another source, and the same name.</summary>
    private static bool IsSame(ManifestSpeaker speaker, TranscriptSegment segment) =>
        speaker.Name is null ? segment.Speaker is null && speaker.Source == segment.Source : speaker.Name == segment.Speaker;

    /// <param name="spoken">In order, without overlaps.</param>
    /// <param name="segment">The text.</param>
    private static double OverlapOf(IReadOnlyList<SpeakerSegment> spoken, TranscriptSegment segment)
    {
        var (low, high) = (0, spoken.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (spoken[middle].EndSeconds <= segment.Start)
                low = middle + 1;
            else
                high = middle;
        }

        var overlap = 0d;
        for (; low < spoken.Count && spoken[low].StartSeconds < segment.End; low++)
            overlap += Math.Min(spoken[low].EndSeconds, segment.End) - Math.Max(spoken[low].StartSeconds, segment.Start);
        return overlap;
    }

    /// <summary>Times beyond the audio end with it.</summary>
    private static Stretch OnTimeline(SpeechPiece piece, SpokenPart part)
    {
        var audio = piece.AudioAt;
        return new(Math.Min(audio.Start + part.Start, audio.End), Math.Min(audio.Start + part.End, audio.End));
    }

    private static bool IsKept(SpeechPiece piece, Stretch at) => at.Middle >= piece.Keep.Start && at.Middle < piece.Keep.End;

    private static TranscriptSegment Segment(
        SpeechPiece piece, Stretch at, string text, List<(SpokenPart Word, Stretch At)> words, double? confidence)
    {
        double[] certain = [.. words.Select(word => word.Word.Confidence).OfType<double>()];
        return new(Round(at.Start), Round(at.End), text)
        {
            Speaker = piece.Speaker,
            Source = piece.Source,
            Confidence = (certain.Length > 0 ? certain.Average() : confidence) is { } known ? Math.Clamp(Round(known), 0, 1) : null,
            Words = words.Count > 0 ? [.. words.Select(word => new TranscriptWord(Round(word.At.Start), Round(word.At.End), word.Word.Text))] : null,
        };
    }

    /// <summary>Some servers write a space before each word that begins; others write no spaces at all.</summary>
    private static string TextOf(IEnumerable<SpokenPart> words)
    {
        var all = words.ToList();
        var marksSpaces = all.Any(word => !word.IsJoined);
        return string.Concat(all.Select((word, index) => index > 0 && !(marksSpaces && word.IsJoined) ? $" {word.Text}" : word.Text));
    }

    private static double Round(double number) => Math.Max(0, Math.Round(number, 2));
}
