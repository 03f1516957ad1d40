using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>The content of a session's <see cref="Journal"/> that describes its audio.</summary>
/// <param name="RecordedPackets">Longest recorded length that the recorder reported, in packets of 20 ms.</param>
/// <param name="Gaps">Stretches that the recorder filled with silence.</param>
internal sealed record SessionJournal(long RecordedPackets, IReadOnlyList<Gap> Gaps)
{
    public static SessionJournal Empty { get; } = new(0, []);

    /// <summary>Detected speech, in pieces.</summary>
    public IReadOnlyList<Speech> Speeches { get; init; } = [];

    public static SessionJournal Read(SessionId session, IEnumerable<string> lines)
    {
        var recorded = 0d;
        var gaps = new List<Gap>();
        var speeches = new List<Speech>();
        foreach (var line in lines)
        {
            var entry = Journal.TryParse(line);
            if (entry?.Status is { RecordedSeconds: { } seconds } status && status.SessionId == session)
                recorded = Math.Max(recorded, seconds);
            if (entry?.Gap is { Cause: not null } gap && gap.StartSeconds >= 0 && gap.EndSeconds > gap.StartSeconds)
                gaps.Add(gap);
            if (entry?.Speech is { Source: not null } speech && speech.StartSeconds >= 0 && speech.EndSeconds > speech.StartSeconds)
                speeches.Add(speech);
        }

        return new((long)Math.Round(Math.Min(recorded, int.MaxValue) * ChunkFormat.PacketsPerSecond), [.. Merge(gaps)]) { Speeches = speeches };
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
