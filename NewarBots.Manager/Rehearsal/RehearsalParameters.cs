using System.Globalization;

namespace NewarBots.Manager.Rehearsal;

/// <summary>Reads the query parameters of a rehearsal's URL by type and collects all errors.</summary>
internal sealed class RehearsalParameters(IReadOnlyDictionary<string, string> values)
{
    private const double LongestSeconds = 24 * 60 * 60;

    /// <summary>Google Meet's own parameters, which may be part of a meeting's URL.</summary>
    private static readonly string[] MeetParameters = ["authuser", "hl", "pli"];

    private readonly HashSet<string> _known = [.. MeetParameters];
    private readonly List<string> _errors = [];

    /// <summary>Each begins with the parameter's name.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>The names that no method has read.</summary>
    public IEnumerable<string> Unknown => values.Keys.Where(name => !_known.Contains(name));

    public string? Take(string name)
    {
        _known.Add(name);
        return values.GetValueOrDefault(name);
    }

    public void AddError(string error) => _errors.Add(error);

    public bool Flag(string name)
    {
        var text = Take(name);
        if (text is not (null or "true" or "false"))
            AddError($"{name} must be true or false, not '{text}'.");
        return text == "true";
    }

    public double? Seconds(string name)
    {
        if (Take(name) is not { } text)
            return null;
        if (IsSeconds(text, out var seconds))
            return seconds;
        AddError($"{name} must be a number of seconds from 0 to {LongestSeconds:0}, not '{text}'.");
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
        AddError($"{name} must be a Unix time in seconds, not '{text}'.");
        return null;
    }

    public int? Integer(string name, int from, int to)
    {
        if (Take(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to)
            return number;
        AddError($"{name} must be an integer from {from} to {to}, not '{text}'.");
        return null;
    }

    public T? OneOf<T>(string name) where T : struct, Enum
    {
        if (Take(name) is not { } text)
            return null;
        if (NamesOf<T>().TryGetValue(text, out var found))
            return found;
        AddError($"{name} must be one of {string.Join(", ", NamesOf<T>().Keys)}, not '{text}'.");
        return null;
    }

    /// <summary><c>one,other</c>.</summary>
    public IReadOnlyList<T> ListOf<T>(string name) where T : struct, Enum
    {
        var found = new List<T>();
        foreach (var part in Parts(name))
        {
            if (NamesOf<T>().TryGetValue(part, out var value))
                found.Add(value);
            else
                AddError($"{name} must be a list of {string.Join(", ", NamesOf<T>().Keys)}; '{part}' is not valid.");
        }

        return found;
    }

    /// <summary><c>one:5,other:9</c>, each with a second of the call.</summary>
    public IReadOnlyList<(T Value, double Seconds)> TimedListOf<T>(string name) where T : struct, Enum
    {
        var found = new List<(T, double)>();
        foreach (var part in Parts(name))
        {
            if (part.Split(':') is [var word, var text] && NamesOf<T>().TryGetValue(word, out var value) && IsSeconds(text, out var seconds))
                found.Add((value, seconds));
            else
                AddError($"{name} must be a list of {string.Join(", ", NamesOf<T>().Keys)}, each with a second, such as {NamesOf<T>().Keys.First()}:5; '{part}' is not valid.");
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
        AddError($"{name} must be a range of whole seconds, such as 10-18, not '{text}'.");
        return null;
    }

    /// <summary><c>1,2</c>: numbers of participants.</summary>
    public IReadOnlySet<int> Participants(string name, int participants)
    {
        var indexes = new HashSet<int>();
        foreach (var part in Parts(name))
        {
            if (!(IsParticipant(part, participants, out var index) && indexes.Add(index)))
                AddError($"{name} must list participants below {participants}, each once; '{part}' is not valid.");
        }

        return indexes;
    }

    /// <summary><c>1:20,2:25</c>: participants, each with a second of the call.</summary>
    public Dictionary<int, double> SecondsByParticipant(string name, int participants)
    {
        var times = new Dictionary<int, double>();
        foreach (var part in Parts(name))
        {
            if (!(part.Split(':') is [var participant, var text]
                && IsParticipant(participant, participants, out var index)
                && IsSeconds(text, out var seconds)
                && times.TryAdd(index, seconds)))
            {
                AddError($"{name} must be a list of participant:second, such as 1:20,2:25, "
                    + $"with participants below {participants}, each once; '{part}' is not valid.");
            }
        }

        return times;
    }

    /// <summary><c>0:0-5,1:5-10</c>: participants, each with a range of seconds; <see langword="null"/> if absent.</summary>
    public ILookup<int, MeetingSpan>? SpansByParticipant(string name, int participants)
    {
        if (Take(name) is null)
            return null;
        var spans = new List<(int Participant, MeetingSpan Span)>();
        foreach (var part in Parts(name))
        {
            if (part.Split(':', '-') is [var participant, var from, var to]
                && part == $"{participant}:{from}-{to}"
                && IsParticipant(participant, participants, out var index)
                && IsSpan(from, to, out var span))
                spans.Add((index, span));
            else
            {
                AddError($"{name} must be a list of participant:from-to in whole seconds, such as 0:0-5,1:5-10, "
                    + $"with participants below {participants}; '{part}' is not valid.");
            }
        }

        return spans.ToLookup(entry => entry.Participant, entry => entry.Span);
    }

    private string[] Parts(string name) => Take(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static Dictionary<string, T> NamesOf<T>() where T : struct, Enum =>
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
