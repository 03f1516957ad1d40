using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>The content of a session's <see cref="Journal"/> that describes its audio.</summary>
/// <param name="RecordedPackets">Longest recorded length that the recorder reported, in packets of 20 ms.</param>
/// <param name="Gaps">Stretches that the recorder filled with silence.</param>
internal sealed record SessionJournal(long RecordedPackets, IReadOnlyList<Gap> Gaps)
{
    /// <summary>Pieces of speech that are kept: of a day in which two people talk all the time, in turns of two seconds.</summary>
    public const int MaxSpeeches = 100_000;

    /// <summary>Gaps that are kept, before adjacent ones are merged.</summary>
    public const int MaxGaps = 5_000;

    public static SessionJournal Empty { get; } = new(0, []);

    /// <summary>Detected speech, in pieces.</summary>
    public IReadOnlyList<Speech> Speeches { get; init; } = [];

    /// <summary>Whether it has more gaps or speech than an honest recorder writes. The rest is left out.</summary>
    public bool IsCut { get; init; }

    /// <summary>Stretches in which the page's count and the audio disagreed.</summary>
    public IReadOnlyList<Disagreement> Disagreements { get; init; } = [];

    private const int MaxDisagreements = 1000;

    public static SessionJournal Read(SessionId session, IEnumerable<string> lines)
    {
        var recorded = 0d;
        var gaps = new List<Gap>();
        var speeches = new List<Speech>();
        var disagreements = new List<Disagreement>();
        var isCut = false;
        foreach (var line in lines)
        {
            var entry = Journal.TryParse(line);
            if (entry?.Status is { RecordedSeconds: { } seconds } status && status.SessionId == session)
                recorded = Math.Max(recorded, seconds);
            if (entry?.Gap is { Cause: not null } gap && gap.StartSeconds >= 0 && gap.EndSeconds > gap.StartSeconds)
                isCut |= !TryAdd(gaps, gap, MaxGaps);
            if (entry?.Speech is { Source: not null } speech && speech.StartSeconds >= 0 && speech.EndSeconds > speech.StartSeconds)
                isCut |= !TryAdd(speeches, speech, MaxSpeeches);
            if (entry?.Disagreement is { StartSeconds: >= 0, Participants: >= 0 } disagreement
                && disagreement.EndSeconds > disagreement.StartSeconds && disagreements.Count < MaxDisagreements)
                disagreements.Add(disagreement);
        }

        return new((long)Math.Round(Math.Min(recorded, int.MaxValue) * ChunkFormat.PacketsPerSecond), [.. Merge(gaps)])
        {
            Speeches = speeches,
            Disagreements = [.. Merge(disagreements)],
            IsCut = isCut,
        };
    }

    private static bool TryAdd<T>(List<T> list, T item, int most)
    {
        if (list.Count == most)
            return false;
        list.Add(item);
        return true;
    }

    /// <summary>The recorder writes a long stretch in pieces. Adjacent pieces with the same count are one stretch.</summary>
    private static List<Disagreement> Merge(IEnumerable<Disagreement> pieces)
    {
        var merged = new List<Disagreement>();
        foreach (var piece in pieces.OrderBy(piece => piece.StartSeconds))
        {
            if (merged.LastOrDefault() is { } last && piece.StartSeconds <= last.EndSeconds && piece.Participants == last.Participants)
                merged[^1] = last with { EndSeconds = Math.Max(last.EndSeconds, piece.EndSeconds) };
            else
                merged.Add(piece);
        }

        return merged;
    }

    /// <summary>The recorder writes a long gap in pieces. Adjacent pieces with the same cause are one gap.</summary>
    private static IEnumerable<Gap> Merge(IEnumerable<Gap> gaps)
    {
        foreach (var sameCause in gaps.GroupBy(gap => gap.Cause))
        {
            Gap? last = null;
            foreach (var gap in sameCause.OrderBy(gap => gap.StartSeconds))
            {
                if (last is not null && gap.StartSeconds <= last.EndSeconds)
                {
                    last = last with { EndSeconds = Math.Max(last.EndSeconds, gap.EndSeconds) };
                    continue;
                }

                if (last is not null)
                    yield return last;
                last = gap;
            }

            yield return last!;
        }
    }
}
