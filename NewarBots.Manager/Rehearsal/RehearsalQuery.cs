namespace NewarBots.Manager.Rehearsal;

/// <summary>Reads a scenario from the query parameters of a rehearsal's URL; docs/rehearsal.md lists them.</summary>
internal static class RehearsalQuery
{
    private static readonly string[] Names = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson"];

    private const string RecorderName = "Otter.ai Notetaker";

    private static readonly string[] JoinButtons =
        ["Ask to join", "Ask to join anyway", "Join now", "Join the call now", "Join anyway", "Join here too", "Switch here"];

    /// <summary>Combines the given parameters with those of the scenario they name; the given ones win.</summary>
    /// <param name="given">The parameters with their values.</param>
    /// <returns>The scenario, or all errors, each beginning with the parameter's name.</returns>
    public static (RehearsalScenario? Scenario, IReadOnlyList<string> Errors) Read(
        IEnumerable<KeyValuePair<string, string>> given)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var errors = new List<string>();
        foreach (var (name, value) in given)
        {
            if (!values.TryAdd(name, value))
                errors.Add($"{name} must be given only once.");
        }

        if (values.Remove("scenario", out var requested))
        {
            if (NamedScenario.All.FirstOrDefault(candidate => candidate.Name == requested) is { } named)
            {
                foreach (var (name, value) in named.Parameters)
                    values.TryAdd(name, value);
            }
            else
            {
                var names = string.Join(", ", NamedScenario.All.Select(known => known.Name));
                errors.Add($"scenario must be one of {names}, not '{requested}'.");
            }
        }

        var parameters = new RehearsalParameters(values);
        var scenario = Read(parameters);
        errors.AddRange(parameters.Errors);
        errors.AddRange(parameters.Unknown.Select(unknown => $"{unknown} is not a rehearsal parameter."));
        return errors.Count == 0 ? (scenario, []) : (null, errors);
    }

    private static RehearsalScenario Read(RehearsalParameters parameters)
    {
        return new()
        {
            Opens = parameters.OneOf<RehearsalOpening>("opens") ?? default,
            Dialogs = parameters.OneOf<DialogKind>("dialogKind") ?? default,
            Structure = parameters.OneOf<PageStructure>("structure") ?? default,
            TypographicApostrophes = parameters.OneOf<Apostrophe>("apostrophe") == Apostrophe.Typographic,
            Lobby = ReadLobby(parameters),
            Call = ReadCall(parameters),
            Audio = ReadAudio(parameters),
            Participants = ReadParticipants(parameters),
        };
    }

    private static RehearsalLobby ReadLobby(RehearsalParameters parameters)
    {
        var (answer, after) = ReadAnswer(parameters);
        return new()
        {
            ReadyAfter = parameters.Seconds("readyAfter") ?? 0,
            IsSignedIn = parameters.Flag("signedIn"),
            Dialogs = parameters.ListOf<LobbyDialog>("dialogs"),
            ToastFor = parameters.Seconds("toast"),
            Toggles = parameters.OneOf<ToggleElement>("toggles") ?? default,
            TogglesAfter = parameters.Seconds("togglesAfter") ?? 0,
            ToggleClicks = parameters.Integer("toggleClicks", 1, 5) ?? 1,
            JoinButton = ReadJoinButton(parameters) ?? (answer == HostAnswer.Admitted && after == 0 ? "Join now" : "Ask to join"),
            WaitingText = parameters.OneOf<WaitingText>("waitingText") ?? default,
            Answer = answer,
            AnswerAfter = after,
            DeniedText = parameters.OneOf<DeniedText>("deniedText") ?? default,
            IsGerman = parameters.Flag("german"),
            Gate = parameters.OneOf<LobbyGate>("gate"),
            BlackFor = parameters.Seconds("blackFor") ?? 0,
        };
    }

    private static RehearsalCall ReadCall(RehearsalParameters parameters)
    {
        var notice = parameters.OneOf<CallNotice>("notice");
        var noticeAfter = parameters.Seconds("noticeAfter");
        if (noticeAfter is not null && notice is null)
            parameters.AddError("noticeAfter requires notice.");
        return new()
        {
            Epoch = parameters.UnixTime("epoch"),
            IsMutedOnly = parameters.Flag("mutedOnly"),
            Notice = notice,
            NoticeAfter = noticeAfter ?? 0,
            HintAfter = parameters.Seconds("hintAfter"),
            ChatAfter = parameters.Seconds("chatAfter"),
            IsUncounted = parameters.Flag("uncounted"),
            MiscountAt = parameters.Seconds("miscountAt"),
            HasStaleCount = parameters.Flag("staleCount"),
            Questions = [.. parameters.TimedListOf<CallQuestion>("asks").Select(timed => new TimedQuestion(timed.Value, timed.Seconds))],
            BannerAt = parameters.Seconds("bannerAt"),
            Reconnects = parameters.Span("reconnect"),
            CrashAt = parameters.Seconds("crashAt"),
            ReloadAt = parameters.Seconds("reloadAt"),
            Misbehaviors = [.. parameters.TimedListOf<Misbehavior>("tricks").Select(timed => new TimedMisbehavior(timed.Value, timed.Seconds))],
            EndAfter = parameters.Seconds("duration"),
            EndedText = parameters.OneOf<EndedText>("endedText") ?? default,
            KickAfter = parameters.Seconds("kickAfter"),
            RemovedText = parameters.OneOf<RemovedText>("removedText") ?? default,
        };
    }

    private static RehearsalAudio ReadAudio(RehearsalParameters parameters) => new()
    {
        Streams = parameters.Integer("streams", 1, 4) ?? 0,
        Elements = parameters.OneOf<MediaElements>("elements") ?? default,
        Stereo = parameters.OneOf<StereoSound>("stereo") ?? default,
        Voices = parameters.OneOf<VoiceKind>("voices") ?? default,
        Level = parameters.Integer("level", -60, -15) is { } decibels ? Math.Pow(10, decibels / 20.0) : TimeCode.Level,
        CaptureBlocking = parameters.OneOf<CaptureBlocking>("deaf") ?? default,
        Mutes = parameters.Span("mute"),
        NetworkLost = parameters.Span("networkLost"),
        RecreateAt = parameters.Seconds("recreateAt"),
        ReplaceAt = parameters.Seconds("replaceAt"),
        RenegotiateAt = parameters.Seconds("renegotiateAt"),
        SwapAt = parameters.Seconds("swapAt"),
    };

    private static (HostAnswer Answer, double After) ReadAnswer(RehearsalParameters parameters)
    {
        var answers = new List<(HostAnswer, double)>();
        if (parameters.SecondsOrNever("admitAfter") is { } admitted)
            answers.Add(double.IsFinite(admitted) ? (HostAnswer.Admitted, admitted) : (HostAnswer.Never, 0));
        if (parameters.Seconds("denyAfter") is { } denied)
            answers.Add((HostAnswer.Denied, denied));
        if (parameters.Seconds("noAnswerAfter") is { } unanswered)
            answers.Add((HostAnswer.NoAnswer, unanswered));
        if (parameters.Seconds("sentAwayAfter") is { } sentAway)
            answers.Add((HostAnswer.SentAway, sentAway));
        if (answers.Count > 1)
            parameters.AddError("admitAfter / denyAfter / noAnswerAfter / sentAwayAfter are mutually exclusive.");
        return answers.FirstOrDefault((HostAnswer.Admitted, 0));
    }

    private static string? ReadJoinButton(RehearsalParameters parameters)
    {
        var text = parameters.Take("joinButton");
        if (text is not null && !JoinButtons.Contains(text))
            parameters.AddError($"joinButton must be one of {string.Join(", ", JoinButtons)}, not '{text}'.");
        return text;
    }

    private static List<RehearsalParticipant> ReadParticipants(RehearsalParameters parameters)
    {
        // If the number is invalid, parameters that name a participant are checked against the maximum, to report one error only.
        var errors = parameters.Errors.Count;
        var count = parameters.Integer("participants", 0, Names.Length) ?? (parameters.Errors.Count > errors ? Names.Length : 3);
        var joins = parameters.SecondsByParticipant("joinLate", count);
        var leaves = parameters.SecondsByParticipant("leave", count);
        var recorders = parameters.Participants("recorders", count);
        var presenters = parameters.Participants("presents", count);
        var speaks = parameters.SpansByParticipant("speak", count);
        var turn = parameters.Integer("turns", 1, 3600);
        if (speaks is not null && turn is not null)
            parameters.AddError("speak and turns are mutually exclusive.");

        var participants = new List<RehearsalParticipant>();
        for (var i = 0; i < count; i++)
        {
            var participant = new RehearsalParticipant(
                recorders.Contains(i) ? RecorderName : Names[i], TimeCode.Voices[i], joins.GetValueOrDefault(i), leaves.TryGetValue(i, out var at) ? at : null,
                IsPresenting: presenters.Contains(i));
            if (participant.LeavesAt <= participant.JoinsAt)
                parameters.AddError($"leave must be after joinLate: participant {i} joins at {participant.JoinsAt} s and leaves at {participant.LeavesAt} s.");
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
