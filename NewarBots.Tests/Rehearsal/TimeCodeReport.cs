using System.Text;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

internal enum TimeCodeFaultKind
{
    /// <summary>A voice that should be heard is not.</summary>
    Missing,

    /// <summary>A second is heard for longer than it lasts, or again.</summary>
    Doubled,

    /// <summary>A second does not begin when the meeting's clock says so: the amount is positive where it comes late.</summary>
    Misplaced,

    /// <summary>A voice is heard that should be silent.</summary>
    Unexpected,
}

/// <param name="Kind">What is wrong.</param>
/// <param name="Participant">Whose voice.</param>
/// <param name="Second">The second of the meeting.</param>
/// <param name="Amount">How much of it, in seconds.</param>
internal sealed record TimeCodeFault(TimeCodeFaultKind Kind, int Participant, long Second, double Amount);

/// <summary>What a recording of a rehearsal holds, second by second of the meeting.</summary>
internal sealed record TimeCodeReport
{
    /// <summary>So much of a second may be missing or too much: less than a burst of five packets.</summary>
    public const double LengthTolerance = 0.08;

    /// <summary>So far a second may begin from where the clock has it, where nothing else is said.</summary>
    public const double PlaceTolerance = 0.06;

    /// <summary>
    /// The first seconds are not judged: connections come up in them. Neither is the last one: it is cut off somewhere.
    /// </summary>
    private const int SettlingSeconds = 2;

    private TimeCodeReport(IEnumerable<TimeCodeFault> faults) =>
        Faults = [.. faults.OrderBy(fault => (fault.Kind, fault.Participant, fault.Second))];

    /// <summary>By kind, participant and second.</summary>
    public IReadOnlyList<TimeCodeFault> Faults { get; }

    public bool IsClean => Faults.Count == 0;

    /// <summary>How many seconds of the meeting are heard, at least in part.</summary>
    public int SecondsHeard { get; private init; }

    /// <summary>The first and the last second of the meeting that is heard.</summary>
    public (long First, long Last) Range { get; private init; }

    /// <summary>Where in the recording the meeting's clock begins, in seconds; negative where that was before it.</summary>
    public double Offset { get; private init; }

    /// <summary>The farthest that any second begins from where the clock has it, in seconds.</summary>
    public double LargestDeviation { get; private init; }

    /// <summary>How fast the recording's clock runs away from the meeting's, in seconds an hour.</summary>
    public double DriftPerHour { get; private init; }

    /// <summary>Of a rehearsal in which so many participants always speak.</summary>
    public static TimeCodeReport Of(
        float[] samples, int participants, double placeTolerance = PlaceTolerance, double lengthTolerance = LengthTolerance) => Of(
            samples,
            [.. TimeCode.Voices.Take(participants).Select(voice => new RehearsalParticipant("", voice))],
            placeTolerance,
            lengthTolerance);

    /// <param name="samples">48 kHz mono.</param>
    /// <param name="participants">Who was to be heard when.</param>
    /// <param name="placeTolerance">
    /// So far a second may begin from where the clock has it, in seconds: on a busy machine the meeting's own connections
    /// stall, and their jitter buffers stretch. What is missing or doubled is found all the same.
    /// </param>
    /// <param name="lengthTolerance">So much of a second may be missing or too much, in seconds.</param>
    public static TimeCodeReport Of(
        float[] samples,
        IReadOnlyList<RehearsalParticipant> participants,
        double placeTolerance = PlaceTolerance,
        double lengthTolerance = LengthTolerance)
    {
        var heard = MeetingSeconds.Read(samples, [.. participants.Select(participant => participant.Voice)]);
        var all = heard.SelectMany(seconds => seconds).ToList();
        if (all.Count == 0)
        {
            var length = (double)samples.Length / AudioFile.SampleRate;
            return new(participants.Select((_, i) => new TimeCodeFault(TimeCodeFaultKind.Missing, i, 0, length)));
        }

        var (first, last) = (all.Min(second => second.Second), all.Max(second => second.Second));
        var starts = heard.SelectMany((seconds, participant) => Starts(seconds)
            .Where(start => start.Second >= first + SettlingSeconds)
            .Select(start => (Participant: participant, start.Second, Offset: start.At - start.Second))).ToList();
        var offset = Median(starts.Select(start => start.Offset));

        var faults = new List<TimeCodeFault>();
        for (var i = 0; i < participants.Count; i++)
        {
            var lengths = heard[i].ToLookup(second => second.Second, second => second.Length);
            for (var second = first; second <= last; second++)
            {
                var length = lengths[second].Sum();
                var isJudged = second >= first + SettlingSeconds && second < last;
                if (isJudged && MustSpeak(participants[i], second) && length < 1 - lengthTolerance)
                    faults.Add(new(TimeCodeFaultKind.Missing, i, second, 1 - length));
                if (length > 1 + lengthTolerance)
                    faults.Add(new(TimeCodeFaultKind.Doubled, i, second, length - 1));
                if (!MaySpeak(participants[i], second) && length > lengthTolerance)
                    faults.Add(new(TimeCodeFaultKind.Unexpected, i, second, length));
            }
        }

        faults.AddRange(starts
            .Where(start => Math.Abs(start.Offset - offset) > placeTolerance)
            .Select(start => new TimeCodeFault(
                TimeCodeFaultKind.Misplaced, start.Participant, start.Second, start.Offset - offset)));
        return new(faults)
        {
            SecondsHeard = all.Select(second => second.Second).Distinct().Count(),
            Range = (first, last),
            Offset = offset,
            LargestDeviation = starts.Select(start => Math.Abs(start.Offset - offset)).DefaultIfEmpty().Max(),
            DriftPerHour = 3600 * Slope([.. starts.Select(start => ((double)start.Second, start.Offset))]),
        };
    }

    public override string ToString()
    {
        var text = new StringBuilder()
            .Append($"Seconds {Range.First} to {Range.Last} of the meeting ({SecondsHeard} of them are heard), ")
            .Append($"whose clock begins at {Offset:0.000} s; ")
            .Append($"largest deviation {LargestDeviation * 1000:0} ms, drift {DriftPerHour * 1000:0} ms an hour.");
        // What goes on over many seconds is one line.
        var lines = new List<(TimeCodeFault First, TimeCodeFault Last)>();
        foreach (var fault in Faults)
        {
            if (lines.Count > 0 && lines[^1].Last is var last
                && last == fault with { Second = fault.Second - 1, Amount = last.Amount }
                && Math.Abs(last.Amount - fault.Amount) < 0.02)
                lines[^1] = (lines[^1].First, fault);
            else
                lines.Add((fault, fault));
        }

        foreach (var (first, last) in lines)
        {
            var seconds = first == last ? $"second {first.Second}" : $"seconds {first.Second} to {last.Second}";
            text.Append($"\n  {first.Kind}: participant {first.Participant}, {seconds}, {first.Amount:+0.000;-0.000} s");
        }

        return text.ToString();
    }

    /// <summary>Where a second begins right behind the one before it: its place is known exactly.</summary>
    private static IEnumerable<(long Second, double At)> Starts(IReadOnlyList<HeardSecond> seconds) => seconds
        .Zip(seconds.Skip(1))
        .Where(pair => pair.Second.Second == pair.First.Second + 1 && pair.Second.Start == pair.First.End)
        .Select(pair => (pair.Second.Second, pair.Second.Start / (double)AudioFile.SampleRate));

    private static bool MustSpeak(RehearsalParticipant participant, long second) =>
        IsHisTurn(participant, second)
        && (participant.JoinsAt == 0 || second >= participant.JoinsAt + SettlingSeconds)
        && !(second + 1 >= participant.LeavesAt);

    private static bool MaySpeak(RehearsalParticipant participant, long second) =>
        IsHisTurn(participant, second) && second + 1 > participant.JoinsAt && !(second > participant.LeavesAt);

    private static bool IsHisTurn(RehearsalParticipant participant, long second)
    {
        var place = participant.SpeaksEvery is { } every ? second % every : second;
        return participant.Speaks is null || participant.Speaks.Any(time => time.From <= place && place < time.To);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[sorted.Count / 2];
    }

    private static double Slope(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count < 2)
            return 0;
        var (x, y) = (points.Average(point => point.X), points.Average(point => point.Y));
        var spread = points.Sum(point => (point.X - x) * (point.X - x));
        return spread == 0 ? 0 : points.Sum(point => (point.X - x) * (point.Y - y)) / spread;
    }
}
