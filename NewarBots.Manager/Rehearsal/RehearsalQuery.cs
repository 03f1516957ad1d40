namespace NewarBots.Manager.Rehearsal;

/// <summary>Reads a scenario from the parameters of a rehearsal's address. docs/rehearsal.md lists them.</summary>
internal static class RehearsalQuery
{
    private static readonly string[] Names = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson"];

    private const string RecorderName = "Otter.ai Notetaker";

    private static readonly string[] JoinButtons =
        ["Ask to join", "Ask to join anyway", "Join now", "Join the call now", "Join anyway", "Join here too", "Switch here"];

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

        var parameters = new RehearsalParameters(values);
        var read = Read(parameters);
        faults.AddRange(parameters.Faults);
        faults.AddRange(parameters.Unknown.Select(unknown => $"{unknown} is no parameter of a rehearsal."));
        return faults.Count == 0 ? (read, []) : (null, faults);
    }

    private static RehearsalScenario Read(RehearsalParameters parameters)
    {
        var door = ReadDoor(parameters);
        return new()
        {
            Opens = parameters.OneOf<RehearsalOpening>("opens") ?? default,
            TypographicApostrophes = parameters.OneOf<Apostrophe>("apostrophe") == Apostrophe.Typographic,
            Door = door,
            Call = ReadCall(parameters),
            Audio = ReadAudio(parameters),
            Participants = ReadParticipants(parameters),
        };
    }

    private static RehearsalDoor ReadDoor(RehearsalParameters parameters)
    {
        var (answer, after) = ReadAnswer(parameters);
        return new()
        {
            ReadyAfter = parameters.Seconds("readyAfter") ?? 0,
            IsSignedIn = parameters.Flag("signedIn"),
            Dialogs = parameters.ListOf<DoorDialog>("dialogs"),
            ToastFor = parameters.Seconds("toast"),
            Toggles = parameters.OneOf<ToggleElement>("toggles") ?? default,
            TogglesAfter = parameters.Seconds("togglesAfter") ?? 0,
            ToggleClicks = parameters.Whole("toggleClicks", 1, 5) ?? 1,
            JoinButton = ReadJoinButton(parameters) ?? (answer == DoorAnswer.Admitted && after == 0 ? "Join now" : "Ask to join"),
            WaitingText = parameters.OneOf<WaitingText>("waitingText") ?? default,
            Answer = answer,
            AnswerAfter = after,
            DeniedText = parameters.OneOf<DeniedText>("deniedText") ?? default,
        };
    }

    private static RehearsalCall ReadCall(RehearsalParameters parameters)
    {
        var notice = parameters.OneOf<CallNotice>("notice");
        var noticeAfter = parameters.Seconds("noticeAfter");
        if (noticeAfter is not null && notice is null)
            parameters.Fault("noticeAfter needs a notice.");
        return new()
        {
            Epoch = parameters.UnixTime("epoch"),
            IsMutedOnly = parameters.Flag("mutedOnly"),
            Notice = notice,
            NoticeAfter = noticeAfter ?? 0,
            HintAfter = parameters.Seconds("hintAfter"),
            ChatAfter = parameters.Seconds("chatAfter"),
            IsUncounted = parameters.Flag("uncounted"),
            Reconnects = parameters.Span("reconnect"),
            CrashAt = parameters.Seconds("crashAt"),
            ReloadAt = parameters.Seconds("reloadAt"),
            Tricks = [.. parameters.TimedListOf<PageTrick>("tricks").Select(trick => new TimedTrick(trick.Value, trick.Seconds))],
            EndAfter = parameters.Seconds("duration"),
            EndedText = parameters.OneOf<EndedText>("endedText") ?? default,
            KickAfter = parameters.Seconds("kickAfter"),
        };
    }

    private static RehearsalAudio ReadAudio(RehearsalParameters parameters) => new()
    {
        Streams = parameters.Whole("streams", 1, 4) ?? 0,
        Elements = parameters.OneOf<MediaElements>("elements") ?? default,
        Level = parameters.Whole("level", -60, -15) is { } decibels ? Math.Pow(10, decibels / 20.0) : TimeCode.Level,
        Deaf = parameters.OneOf<Deafness>("deaf") ?? default,
        Mutes = parameters.Span("mute"),
        RecreateAt = parameters.Seconds("recreateAt"),
        ReplaceAt = parameters.Seconds("replaceAt"),
        RenegotiateAt = parameters.Seconds("renegotiateAt"),
        SwapAt = parameters.Seconds("swapAt"),
    };

    private static (DoorAnswer Answer, double After) ReadAnswer(RehearsalParameters parameters)
    {
        var answers = new List<(DoorAnswer, double)>();
        if (parameters.SecondsOrNever("admitAfter") is { } admitted)
            answers.Add(double.IsFinite(admitted) ? (DoorAnswer.Admitted, admitted) : (DoorAnswer.Never, 0));
        if (parameters.Seconds("denyAfter") is { } denied)
            answers.Add((DoorAnswer.Denied, denied));
        if (parameters.Seconds("noAnswerAfter") is { } unanswered)
            answers.Add((DoorAnswer.NoAnswer, unanswered));
        if (answers.Count > 1)
            parameters.Fault("admitAfter and denyAfter and noAnswerAfter exclude each other.");
        return answers.FirstOrDefault((DoorAnswer.Admitted, 0));
    }

    private static string? ReadJoinButton(RehearsalParameters parameters)
    {
        var text = parameters.Take("joinButton");
        if (text is not null && !JoinButtons.Contains(text))
            parameters.Fault($"joinButton is one of {string.Join(", ", JoinButtons)}, not '{text}'.");
        return text;
    }

    private static List<RehearsalParticipant> ReadParticipants(RehearsalParameters parameters)
    {
        // A mistake in the number is no mistake in whoever else names a participant.
        var mistakes = parameters.Faults.Count;
        var count = parameters.Whole("participants", 0, Names.Length) ?? (parameters.Faults.Count > mistakes ? Names.Length : 3);
        var joins = parameters.Times("joinLate", count);
        var leaves = parameters.Times("leave", count);
        var recorders = parameters.Some("recorders", count);
        var speaks = parameters.Spans("speak", count);
        var turn = parameters.Whole("turns", 1, 3600);
        if (speaks is not null && turn is not null)
            parameters.Fault("speak and turns exclude each other.");

        var participants = new List<RehearsalParticipant>();
        for (var i = 0; i < count; i++)
        {
            var participant = new RehearsalParticipant(
                recorders.Contains(i) ? RecorderName : Names[i], TimeCode.Voices[i], joins.GetValueOrDefault(i), leaves.TryGetValue(i, out var at) ? at : null);
            if (participant.LeavesAt <= participant.JoinsAt)
                parameters.Fault($"leave has participant {i} gone at {participant.LeavesAt} s, who joins at {participant.JoinsAt} s.");
            participants.Add(turn is { } seconds
                ? participant with { Speaks = [new(i * seconds, (i + 1) * seconds)], SpeaksEvery = count * seconds }
                : participant with { Speaks = speaks?[i].ToList() });
        }

        return participants;
    }

    private enum Apostrophe
    {
        Straight,
        Typographic,
    }
}
