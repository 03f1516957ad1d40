using System.Globalization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>The parameters of a rehearsal's address: reads them by their kind and keeps every mistake.</summary>
internal sealed class RehearsalParameters(IReadOnlyDictionary<string, string> values)
{
    private const double LongestSeconds = 24 * 60 * 60;

    /// <summary>Google Meet's own parameters, which a bot may add.</summary>
    private static readonly string[] MeetsOwn = ["authuser", "hl", "pli"];

    private readonly HashSet<string> _taken = [.. MeetsOwn];
    private readonly List<string> _faults = [];

    /// <summary>Each begins with the parameter's name.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>The names that nobody asked for.</summary>
    public IEnumerable<string> Unknown => values.Keys.Where(name => !_taken.Contains(name));

    public string? Take(string name)
    {
        _taken.Add(name);
        return values.GetValueOrDefault(name);
    }

    public void Fault(string fault) => _faults.Add(fault);

    public bool Flag(string name)
    {
        var text = Take(name);
        if (text is not (null or "true" or "false"))
            Fault($"{name} is true or false, not '{text}'.");
        return text == "true";
    }

    public double? Seconds(string name)
    {
        if (Take(name) is not { } text)
            return null;
        if (IsSeconds(text, out var seconds))
            return seconds;
        Fault($"{name} is a number of seconds from 0 to {LongestSeconds:0}, not '{text}'.");
        return null;
    }

    /// <summary>Seconds, or <see cref="double.PositiveInfinity"/> for <c>never</c>.</summary>
    public double? SecondsOrNever(string name) => Take(name) == "never" ? double.PositiveInfinity : Seconds(name);

    /// <summary>A Unix time in seconds.</summary>
    public double? UnixTime(string name)
    {
        if (Take(name) is not { } text)
            return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var time) && time <= uint.MaxValue)
            return time;
        Fault($"{name} is a Unix time in seconds, not '{text}'.");
        return null;
    }

    public int? Whole(string name, int from, int to)
    {
        if (Take(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to)
            return number;
        Fault($"{name} is a whole number from {from} to {to}, not '{text}'.");
        return null;
    }

    public T? OneOf<T>(string name) where T : struct, Enum
    {
        if (Take(name) is not { } text)
            return null;
        if (Words<T>().TryGetValue(text, out var found))
            return found;
        Fault($"{name} is one of {string.Join(", ", Words<T>().Keys)}, not '{text}'.");
        return null;
    }

    /// <summary><c>one,other</c>.</summary>
    public IReadOnlyList<T> ListOf<T>(string name) where T : struct, Enum
    {
        var found = new List<T>();
        foreach (var part in Parts(name))
        {
            if (Words<T>().TryGetValue(part, out var value))
                found.Add(value);
            else
                Fault($"{name} is a list of {string.Join(", ", Words<T>().Keys)}; '{part}' is none.");
        }

        return found;
    }

    /// <summary><c>one:5,other:9</c>: at which second.</summary>
    public IReadOnlyList<(T Value, double Seconds)> TimedListOf<T>(string name) where T : struct, Enum
    {
        var found = new List<(T, double)>();
        foreach (var part in Parts(name))
        {
            if (part.Split(':') is [var word, var text] && Words<T>().TryGetValue(word, out var value) && IsSeconds(text, out var seconds))
                found.Add((value, seconds));
            else
                Fault($"{name} is a list of {string.Join(", ", Words<T>().Keys)}, each with a second, such as {Words<T>().Keys.First()}:5; '{part}' is not.");
        }

        return found;
    }

    /// <summary><c>10-18</c>, in whole seconds of the call.</summary>
    public MeetingSpan? Span(string name)
    {
        if (Take(name) is not { } text)
            return null;
        if (text.Split('-') is [var from, var to] && IsSpan(from, to, out var span))
            return span;
        Fault($"{name} is from-to in whole seconds, such as 10-18, not '{text}'.");
        return null;
    }

    /// <summary><c>1,2</c>: some of so many participants.</summary>
    public IReadOnlySet<int> Some(string name, int participants)
    {
        var some = new HashSet<int>();
        foreach (var part in Parts(name))
        {
            if (!(IsParticipant(part, participants, out var index) && some.Add(index)))
                Fault($"{name} is a list of participants below {participants}, each once; '{part}' is not.");
        }

        return some;
    }

    /// <summary><c>1:20,2:25</c>: for each of so many participants a second.</summary>
    public Dictionary<int, double> Times(string name, int participants)
    {
        var times = new Dictionary<int, double>();
        foreach (var part in Parts(name))
        {
            if (!(part.Split(':') is [var who, var text]
                && IsParticipant(who, participants, out var index)
                && IsSeconds(text, out var seconds)
                && times.TryAdd(index, seconds)))
            {
                Fault($"{name} is a list of participant:second, such as 1:20,2:25, "
                    + $"of participants below {participants}, each once; '{part}' is not.");
            }
        }

        return times;
    }

    /// <summary><c>0:0-5,1:5-10</c>; <see langword="null"/> where it is not given.</summary>
    public ILookup<int, MeetingSpan>? Spans(string name, int participants)
    {
        if (Take(name) is null)
            return null;
        var times = new List<(int Who, MeetingSpan Time)>();
        foreach (var part in Parts(name))
        {
            if (part.Split(':', '-') is [var who, var from, var to]
                && part == $"{who}:{from}-{to}"
                && IsParticipant(who, participants, out var index)
                && IsSpan(from, to, out var span))
                times.Add((index, span));
            else
            {
                Fault($"{name} is a list of participant:from-to in whole seconds, such as 0:0-5,1:5-10, "
                    + $"of participants below {participants}; '{part}' is not.");
            }
        }

        return times.ToLookup(time => time.Who, time => time.Time);
    }

    private string[] Parts(string name) => Take(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static Dictionary<string, T> Words<T>() where T : struct, Enum =>
        Enum.GetValues<T>().ToDictionary(value => char.ToLowerInvariant($"{value}"[0]) + $"{value}"[1..]);

    private static bool IsParticipant(string text, int participants, out int index) =>
        int.TryParse(text, NumberStyles.None, null, out index) && index < participants;

    private static bool IsSpan(string from, string to, out MeetingSpan span)
    {
        var isSpan = int.TryParse(from, NumberStyles.None, null, out var start) & int.TryParse(to, NumberStyles.None, null, out var end);
        span = new(start, end);
        return isSpan && start < end && end <= LongestSeconds;
    }

    private static bool IsSeconds(string text, out double seconds) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds)
        && seconds <= LongestSeconds;
}
