using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

internal enum TimeCodeFaultKind
{
    /// <summary>A voice is missing.</summary>
    Missing,

    /// <summary>A second lasts too long or occurs again.</summary>
    Doubled,

    /// <summary>A second does not begin at its time on the meeting's clock; the amount is positive if it is late.</summary>
    Misplaced,

    /// <summary>A voice that should be silent is heard.</summary>
    Unexpected,
}

/// <param name="Kind">The kind of fault.</param>
/// <param name="Participant">The participant whose voice it is.</param>
/// <param name="Second">The second of the meeting.</param>
/// <param name="Amount">The size of the fault in seconds.</param>
internal sealed record TimeCodeFault(TimeCodeFaultKind Kind, int Participant, long Second, double Amount);

/// <summary>Compares a recording of a rehearsal with the meeting, second by second.</summary>
internal sealed record TimeCodeReport
{
    /// <summary>How much of a second may be missing or extra: less than a burst of five packets.</summary>
    public const double LengthTolerance = 0.08;

    /// <summary>The default tolerance for the start of a second, in seconds.</summary>
    public const double PlaceTolerance = 0.06;

    /// <summary>
    /// The first seconds are not checked, because connections are established in them. The last one is not either, because it is incomplete.
    /// </summary>
    private const int SettlingSeconds = 2;

    /// <summary>Around a gap, in seconds: the page's connections are interrupted too, and their jitter buffers need a moment.</summary>
    private const double Recovery = 1;

    private HashSet<long> _heard = [];

    /// <summary>In seconds of the meeting.</summary>
    private IReadOnlyList<(double From, double To)> _declared = [];

    private TimeCodeReport(IEnumerable<TimeCodeFault> faults) =>
        Faults = [.. faults.OrderBy(fault => (fault.Kind, fault.Participant, fault.Second))];

    /// <summary>Ordered by kind, participant and second.</summary>
    public IReadOnlyList<TimeCodeFault> Faults { get; private init; }

    public bool IsClean => Faults.Count == 0;

    /// <summary>
    /// No second is lost or repeated, and none is far from its place. For calls in a real browser: on a busy machine, a page plays its time code up to a second
    /// late, and catches up or not.
    /// </summary>
    public bool IsIntact => Faults.All(fault => Math.Abs(fault.Amount) < (fault.Kind is TimeCodeFaultKind.Misplaced ? 2 : 0.45));

    /// <summary>The number of seconds of the meeting that are heard at least in part.</summary>
    public int SecondsHeard => _heard.Count;

    /// <summary>The first and the last second of the meeting that are heard.</summary>
    public (long First, long Last) Range { get; private init; }

    /// <summary>The start of the meeting's clock in the recording, in seconds; negative if the meeting began before the recording.</summary>
    public double Offset { get; private init; }

    /// <summary>The largest difference between a second's start and its time on the clock, in seconds.</summary>
    public double LargestDeviation { get; private init; }

    /// <summary>The drift of the recording's clock against the meeting's, in seconds per hour.</summary>
    public double DriftPerHour { get; private init; }

    /// <summary>For a rehearsal in which this many participants speak all the time.</summary>
    public static TimeCodeReport Of(
        float[] samples, int participants, double placeTolerance = PlaceTolerance, double lengthTolerance = LengthTolerance) => Of(
            samples,
            [.. TimeCode.Voices.Take(participants).Select(voice => new RehearsalParticipant("", voice))],
            placeTolerance,
            lengthTolerance);

    /// <param name="samples">48 kHz mono.</param>
    /// <param name="participants">The participants, with the times at which each should be heard.</param>
    /// <param name="placeTolerance">
    /// The tolerance for the start of a second, in seconds. On a busy machine the meeting's own connections stall and their jitter buffers
    /// stretch. Missing and doubled seconds are found regardless.
    /// </param>
    /// <param name="lengthTolerance">How much of a second may be missing or extra, in seconds.</param>
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
                var isChecked = second >= first + SettlingSeconds && second < last;
                if (isChecked && MustBeHeard(participants[i], second) && length < 1 - lengthTolerance)
                    faults.Add(new(TimeCodeFaultKind.Missing, i, second, 1 - length));
                if (length > 1 + lengthTolerance)
                    faults.Add(new(TimeCodeFaultKind.Doubled, i, second, length - 1));
                if (!MayBeHeard(participants[i], second) && length > lengthTolerance)
                    faults.Add(new(TimeCodeFaultKind.Unexpected, i, second, length));
            }
        }

        faults.AddRange(starts
            .Where(start => Math.Abs(start.Offset - offset) > placeTolerance)
            .Select(start => new TimeCodeFault(
                TimeCodeFaultKind.Misplaced, start.Participant, start.Second, start.Offset - offset)));
        return new(faults)
        {
            _heard = all.Select(second => second.Second).ToHashSet(),
            Range = (first, last),
            Offset = offset,
            LargestDeviation = starts.Select(start => Math.Abs(start.Offset - offset)).DefaultIfEmpty().Max(),
            DriftPerHour = 3600 * Slope([.. starts.Select(start => ((double)start.Second, start.Offset))]),
        };
    }

    /// <summary>The same report without the faults at gaps that the recording declares.</summary>
    /// <param name="gaps">In seconds of the recording.</param>
    public TimeCodeReport Besides(IEnumerable<Gap> gaps) =>
        Besides(gaps.Select(gap => (gap.StartSeconds - Offset - Recovery, gap.EndSeconds - Offset + Recovery)));

    /// <summary>The same report without the faults in these times.</summary>
    /// <param name="times">In seconds of the meeting.</param>
    public TimeCodeReport Besides(IEnumerable<(double From, double To)> times)
    {
        IReadOnlyList<(double From, double To)> declared = [.. _declared, .. times];
        return this with { _declared = declared, Faults = [.. Faults.Where(fault => !IsIn(declared, fault.Second))] };
    }

    /// <summary>The seconds of the meeting from <paramref name="first"/> to <paramref name="last"/> that are neither heard nor declared as missing.</summary>
    public IReadOnlyList<long> Lost(long first, long last)
    {
        var lost = new List<long>();
        for (var second = first; second <= last; second++)
        {
            if (!_heard.Contains(second) && !IsIn(_declared, second))
                lost.Add(second);
        }

        return lost;
    }

    public override string ToString()
    {
        var text = new StringBuilder()
            .Append($"Seconds {Range.First} to {Range.Last} of the meeting ({SecondsHeard} of them heard), ")
            .Append($"clock starts at {Offset:0.000} s, ")
            .Append($"largest deviation {LargestDeviation * 1000:0} ms, drift {DriftPerHour * 1000:0} ms per hour.");
        // A fault that continues over several seconds is one line.
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

    private static bool IsIn(IEnumerable<(double From, double To)> spans, long second) =>
        spans.Any(span => second + 1 > span.From && second < span.To);

    /// <summary>The starts of seconds that directly follow the previous one, which are exact.</summary>
    private static IEnumerable<(long Second, double At)> Starts(IReadOnlyList<HeardSecond> seconds) => seconds
        .Zip(seconds.Skip(1))
        .Where(pair => pair.Second.Second == pair.First.Second + 1 && pair.Second.Start == pair.First.End)
        .Select(pair => (pair.Second.Second, pair.Second.Start / (double)AudioFile.SampleRate));

    private static bool MustBeHeard(RehearsalParticipant participant, long second) =>
        IsSpeaking(participant, second)
        && (participant.JoinsAt == 0 || second >= participant.JoinsAt + SettlingSeconds)
        && !(second + 1 >= participant.LeavesAt);

    private static bool MayBeHeard(RehearsalParticipant participant, long second) =>
        IsSpeaking(participant, second) && second + 1 > participant.JoinsAt && !(second > participant.LeavesAt);

    private static bool IsSpeaking(RehearsalParticipant participant, long second)
    {
        var position = participant.SpeaksEvery is { } every ? second % every : second;
        return participant.Speaks is null || participant.Speaks.Any(time => time.From <= position && position < time.To);
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
