using System.Globalization;

namespace NewarBots.Manager.Rehearsing;

/// <summary>Reads a scenario from the parameters of a rehearsal's address. docs/rehearsal.md lists them.</summary>
internal sealed class RehearsalQuery
{
    private const double LongestSeconds = 24 * 60 * 60;

    private static readonly string[] Names = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson"];

    private static readonly string[] JoinButtons =
        ["Ask to join", "Ask to join anyway", "Join now", "Join the call now", "Join anyway", "Join here too", "Switch here"];

    /// <summary>Google Meet's own parameters, which a bot may add.</summary>
    private static readonly string[] MeetsOwn = ["authuser", "hl", "pli"];

    private readonly Dictionary<string, string> _values;
    private readonly HashSet<string> _read = [.. MeetsOwn];
    private readonly List<string> _faults = [];

    private RehearsalQuery(Dictionary<string, string> values) => _values = values;

    /// <summary>Takes the parameters of the named scenario, where there is one, and the given ones over those.</summary>
    /// <param name="given">Each parameter with its value.</param>
    /// <returns>The scenario, or every mistake, each beginning with the parameter's name.</returns>
    public static (RehearsalScenario? Scenario, IReadOnlyList<string> Faults) Read(
        IEnumerable<KeyValuePair<string, string>> given)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (var (name, value) in given)
        {
            if (!values.TryAdd(name, value))
                faults.Add($"{name} is given twice.");
        }

        if (values.Remove("scenario", out var wanted))
        {
            if (NamedScenario.All.FirstOrDefault(scenario => scenario.Name == wanted) is { } named)
            {
                foreach (var (name, value) in named.Parameters)
                    values.TryAdd(name, value);
            }
            else
            {
                var names = string.Join(", ", NamedScenario.All.Select(scenario => scenario.Name));
                faults.Add($"scenario is one of {names}, not '{wanted}'.");
            }
        }

        var query = new RehearsalQuery(values);
        var read = query.Read();
        faults.AddRange(query._faults);
        return faults.Count == 0 ? (read, []) : (null, faults);
    }

    private RehearsalScenario Read()
    {
        var (answer, answerAfter) = ReadAnswer();
        var scenario = new RehearsalScenario
        {
            Opens = ReadOneOf<RehearsalOpening>("opens"),
            ReadyAfter = ReadSeconds("readyAfter") ?? 0,
            JoinButton = ReadJoinButton() ?? (answer == DoorAnswer.Admitted && answerAfter == 0 ? "Join now" : "Ask to join"),
            Answer = answer,
            AnswerAfter = answerAfter,
            TypographicApostrophes = ReadOneOf<Apostrophe>("apostrophe") == Apostrophe.Typographic,
            Participants = ReadParticipants(),
            EndAfter = ReadSeconds("duration"),
            KickAfter = ReadSeconds("kickAfter"),
        };
        foreach (var unknown in _values.Keys.Where(name => !_read.Contains(name)))
            _faults.Add($"{unknown} is no parameter of a rehearsal.");
        return scenario;
    }

    private (DoorAnswer Answer, double After) ReadAnswer()
    {
        var isNever = Take("admitAfter") == "never";
        var answers = new List<(DoorAnswer, double)>();
        if (isNever)
            answers.Add((DoorAnswer.Never, 0));
        else if (ReadSeconds("admitAfter") is { } admitted)
            answers.Add((DoorAnswer.Admitted, admitted));
        if (ReadSeconds("denyAfter") is { } denied)
            answers.Add((DoorAnswer.Denied, denied));
        if (ReadSeconds("noAnswerAfter") is { } unanswered)
            answers.Add((DoorAnswer.NoAnswer, unanswered));
        if (answers.Count > 1)
            _faults.Add("admitAfter and denyAfter and noAnswerAfter exclude each other.");
        return answers.FirstOrDefault((DoorAnswer.Admitted, 0));
    }

    private string? ReadJoinButton()
    {
        var text = Take("joinButton");
        if (text is not null && !JoinButtons.Contains(text))
            _faults.Add($"joinButton is one of {string.Join(", ", JoinButtons)}, not '{text}'.");
        return text;
    }

    private List<RehearsalParticipant> ReadParticipants()
    {
        var count = 3;
        if (Take("participants") is { } text
            && !(int.TryParse(text, NumberStyles.None, null, out count) && count <= Names.Length))
        {
            _faults.Add($"participants is a number from 0 to {Names.Length}, not '{text}'.");
            count = Names.Length;
        }

        var joins = ReadTimes("joinLate", count);
        var leaves = ReadTimes("leave", count);
        var speaks = ReadSpeaks(count);
        var turn = ReadTurn();
        if (speaks is not null && turn is not null)
            _faults.Add("speak and turns exclude each other.");

        var participants = new List<RehearsalParticipant>();
        for (var i = 0; i < count; i++)
        {
            var participant = new RehearsalParticipant(
                Names[i], TimeCode.Voices[i], joins.GetValueOrDefault(i), leaves.TryGetValue(i, out var at) ? at : null);
            if (participant.LeavesAt <= participant.JoinsAt)
                _faults.Add($"leave has participant {i} gone at {participant.LeavesAt} s, who joins at {participant.JoinsAt} s.");
            participants.Add(turn is { } seconds
                ? participant with { Speaks = [new(i * seconds, (i + 1) * seconds)], SpeaksEvery = count * seconds }
                : participant with { Speaks = speaks?[i].ToList() });
        }

        return participants;
    }

    private int? ReadTurn()
    {
        if (Take("turns") is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, null, out var turn) && turn is > 0 and <= 3600)
            return turn;
        _faults.Add($"turns is the length of one, in whole seconds from 1 to 3600, not '{text}'.");
        return null;
    }

    /// <summary><c>0:0-5,1:5-10</c>; <see langword="null"/> where everyone always speaks.</summary>
    private ILookup<int, SpeakingTime>? ReadSpeaks(int participants)
    {
        if (Take("speak") is not { } text)
            return null;
        var times = new List<(int Who, SpeakingTime Time)>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Split(':', '-') is [var who, var from, var to]
                && part == $"{who}:{from}-{to}"
                && IsParticipant(who, participants, out var index)
                && int.TryParse(from, NumberStyles.None, null, out var start)
                && int.TryParse(to, NumberStyles.None, null, out var end)
                && start < end && end <= LongestSeconds)
                times.Add((index, new(start, end)));
            else
            {
                _faults.Add("speak is a list of participant:from-to in whole seconds, such as 0:0-5,1:5-10, "
                    + $"of participants below {participants}; '{part}' is not.");
            }
        }

        return times.ToLookup(time => time.Who, time => time.Time);
    }

    /// <summary><c>1:20,2:25</c>.</summary>
    private Dictionary<int, double> ReadTimes(string name, int participants)
    {
        var times = new Dictionary<int, double>();
        foreach (var part in Take(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            if (!(part.Split(':') is [var who, var text]
                && IsParticipant(who, participants, out var index)
                && IsSeconds(text, out var seconds)
                && times.TryAdd(index, seconds)))
            {
                _faults.Add($"{name} is a list of participant:second, such as 1:20,2:25, "
                    + $"of participants below {participants}, each once; '{part}' is not.");
            }
        }

        return times;
    }

    private double? ReadSeconds(string name)
    {
        if (Take(name) is not { } text)
            return null;
        if (IsSeconds(text, out var seconds))
            return seconds;
        _faults.Add($"{name} is a number of seconds from 0 to {LongestSeconds:0}, not '{text}'.");
        return null;
    }

    private T ReadOneOf<T>(string name) where T : struct, Enum
    {
        var words = Enum.GetValues<T>().ToDictionary(value => char.ToLowerInvariant($"{value}"[0]) + $"{value}"[1..]);
        if (Take(name) is not { } text)
            return default;
        if (words.TryGetValue(text, out var found))
            return found;
        _faults.Add($"{name} is one of {string.Join(", ", words.Keys)}, not '{text}'.");
        return default;
    }

    private string? Take(string name)
    {
        _read.Add(name);
        return _values.GetValueOrDefault(name);
    }

    private static bool IsParticipant(string text, int participants, out int index) =>
        int.TryParse(text, NumberStyles.None, null, out index) && index < participants;

    private static bool IsSeconds(string text, out double seconds) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds)
        && seconds <= LongestSeconds;

    private enum Apostrophe
    {
        Straight,
        Typographic,
    }
}
