using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

public sealed class RehearsalQueryTests
{
    [Fact]
    public void Without_parameters_three_participants_speak_until_the_guest_leaves()
    {
        var scenario = Read(string.Empty);

        Assert.Equal([0, 1, 2], scenario.Participants.Select(participant => TimeCode.Voices.ToList().IndexOf(participant.Voice)));
        Assert.All(
            scenario.Participants, participant => Assert.True(participant is { JoinsAt: 0, LeavesAt: null, Speaks: null }));
        Assert.Equal(RehearsalOpening.Meeting, scenario.Opens);
        Assert.Equivalent(new RehearsalLobby { JoinButton = "Join now" }, scenario.Lobby, strict: true);
        Assert.Equivalent(new RehearsalCall(), scenario.Call, strict: true);
        Assert.Equal(new RehearsalAudio(), scenario.Audio);
    }

    [Fact]
    public void Participant_parameters_are_read()
    {
        var scenario = Read("participants=4&speak=0:0-5,1:5-10,0:10-12&joinLate=2:1.5&leave=1:20,2:25&recorders=3"
            + "&apostrophe=typographic&hl=en");

        Assert.Equal([new(0, 5), new(10, 12)], scenario.Participants[0].Speaks!);
        Assert.Equal([new(5, 10)], scenario.Participants[1].Speaks!);
        Assert.Empty(scenario.Participants[3].Speaks!);
        Assert.Equal([0, 0, 1.5, 0], scenario.Participants.Select(participant => participant.JoinsAt));
        Assert.Equal([null, 20, 25, null], scenario.Participants.Select(participant => participant.LeavesAt));
        Assert.Equal("Otter.ai Notetaker", scenario.Participants[3].Name);
        Assert.True(scenario.TypographicApostrophes);
    }

    [Fact]
    public void Parameters_of_misleading_pages_are_read()
    {
        var scenario = Read("presents=1&gate=share&dialogKind=corner&german=true&blackFor=5&sentAwayAfter=4&waitingText=unknown&structure=requested"
            + "&asks=stillThere:4,unknown:9&bannerAt=1&miscountAt=6&staleCount=true&removedText=cannotRejoin&endedText=yourCall");

        Assert.Equal([false, true, false], scenario.Participants.Select(participant => participant.IsPresenting));
        Assert.Equal((DialogKind.Corner, PageStructure.Requested), (scenario.Dialogs, scenario.Structure));
        Assert.Equivalent(
            new RehearsalLobby
            {
                JoinButton = "Ask to join",
                Gate = LobbyGate.Share,
                IsGerman = true,
                BlackFor = 5,
                WaitingText = WaitingText.Unknown,
                Answer = HostAnswer.SentAway,
                AnswerAfter = 4,
            },
            scenario.Lobby,
            strict: true);
        Assert.Equivalent(
            new RehearsalCall
            {
                Questions = [new(CallQuestion.StillThere, 4), new(CallQuestion.Unknown, 9)],
                BannerAt = 1,
                MiscountAt = 6,
                HasStaleCount = true,
                EndedText = EndedText.YourCall,
                RemovedText = RemovedText.CannotRejoin,
            },
            scenario.Call,
            strict: true);
    }

    [Fact]
    public void Lobby_parameters_are_read()
    {
        var lobby = Read("readyAfter=0.5&signedIn=true&dialogs=withoutAccount,gotIt,gotIt&toast=8&toggles=button&togglesAfter=2&toggleClicks=3"
            + "&joinButton=Switch here&denyAfter=2&waitingText=forTheHost&deniedText=askAgain").Lobby;

        Assert.Equivalent(
            new RehearsalLobby
            {
                ReadyAfter = 0.5,
                IsSignedIn = true,
                Dialogs = [LobbyDialog.WithoutAccount, LobbyDialog.GotIt, LobbyDialog.GotIt],
                ToastFor = 8,
                Toggles = ToggleElement.Button,
                TogglesAfter = 2,
                ToggleClicks = 3,
                JoinButton = "Switch here",
                WaitingText = WaitingText.ForTheHost,
                Answer = HostAnswer.Denied,
                AnswerAfter = 2,
                DeniedText = DeniedText.AskAgain,
            },
            lobby,
            strict: true);
    }

    [Fact]
    public void Call_parameters_are_read()
    {
        var call = Read("mutedOnly=true&notice=gemini&noticeAfter=5&hintAfter=3&duration=40&endedText=call&kickAfter=30"
            + "&chatAfter=4&uncounted=true&reconnect=10-18&crashAt=12&reloadAt=13.5&tricks=alert:5,beforeUnload:0&epoch=1766512800").Call;

        Assert.Equivalent(
            new RehearsalCall
            {
                IsMutedOnly = true,
                Notice = CallNotice.Gemini,
                NoticeAfter = 5,
                HintAfter = 3,
                EndAfter = 40,
                EndedText = EndedText.Call,
                KickAfter = 30,
                ChatAfter = 4,
                IsUncounted = true,
                Reconnects = new(10, 18),
                CrashAt = 12,
                ReloadAt = 13.5,
                Misbehaviors = [new(Misbehavior.Alert, 5), new(Misbehavior.BeforeUnload, 0)],
                Epoch = 1_766_512_800,
            },
            call,
            strict: true);
    }

    [Fact]
    public void Audio_parameters_are_read()
    {
        var audio = Read("streams=3&elements=none&stereo=inverted&level=-40&deaf=once&mute=6-10&networkLost=7-9&recreateAt=1&replaceAt=2&renegotiateAt=3&swapAt=4").Audio;

        Assert.Equal(
            new RehearsalAudio
            {
                Streams = 3,
                Elements = MediaElements.None,
                Stereo = StereoSound.Inverted,
                Level = 0.01,
                CaptureBlocking = CaptureBlocking.Once,
                Mutes = new(6, 10),
                NetworkLost = new(7, 9),
                RecreateAt = 1,
                ReplaceAt = 2,
                RenegotiateAt = 3,
                SwapAt = 4,
            },
            audio);
    }

    [Fact]
    public void Turns_repeat_after_the_last_participant()
    {
        var participants = Read("participants=3&turns=5").Participants;

        Assert.Equal([new(0, 5), new(5, 10), new(10, 15)], participants.SelectMany(participant => participant.Speaks!));
        Assert.All(participants, participant => Assert.Equal(15, participant.SpeaksEvery));
    }

    [Theory]
    [InlineData("admitAfter=3", HostAnswer.Admitted, 3)]
    [InlineData("admitAfter=never", HostAnswer.Never, 0)]
    [InlineData("denyAfter=4", HostAnswer.Denied, 4)]
    [InlineData("noAnswerAfter=5", HostAnswer.NoAnswer, 5)]
    public void Join_button_says_ask_to_join_if_there_is_a_waiting_room(string query, object answer, double after)
    {
        var lobby = Read(query).Lobby;

        Assert.Equal(((HostAnswer)answer, after, "Ask to join"), (lobby.Answer, lobby.AnswerAfter, lobby.JoinButton));
    }

    [Theory]
    [InlineData("participants=5", "participants")]
    [InlineData("participants=-1", "participants")]
    [InlineData("participants=", "participants")]
    [InlineData("participants=2&speak=2:0-5", "speak")]
    [InlineData("speak=0:5-5", "speak")]
    [InlineData("speak=0-5", "speak")]
    [InlineData("speak=0:0-1.5", "speak")]
    [InlineData("speak=0:0-5&turns=5", "speak")]
    [InlineData("turns=0", "turns")]
    [InlineData("leave=3:5", "leave")]
    [InlineData("leave=0:5,0:6", "leave")]
    [InlineData("leave=0:5&joinLate=0:5", "leave")]
    [InlineData("joinLate=0", "joinLate")]
    [InlineData("admitAfter=soon", "admitAfter")]
    [InlineData("admitAfter=1&denyAfter=1", "admitAfter")]
    [InlineData("denyAfter=-1", "denyAfter")]
    [InlineData("duration=1e3", "duration")]
    [InlineData("duration=NaN", "duration")]
    [InlineData("duration=86401", "duration")]
    [InlineData("kickAfter=1&kickAfter=2", "kickAfter")]
    [InlineData("joinButton=Enter", "joinButton")]
    [InlineData("opens=1", "opens")]
    [InlineData("apostrophe=curly", "apostrophe")]
    [InlineData("scenario=wonderful", "scenario")]
    [InlineData("signedIn=yes", "signedIn")]
    [InlineData("dialogs=gotit", "dialogs")]
    [InlineData("toast=never", "toast")]
    [InlineData("toggles=span", "toggles")]
    [InlineData("togglesAfter=-1", "togglesAfter")]
    [InlineData("toggleClicks=0", "toggleClicks")]
    [InlineData("waitingText=Asking", "waitingText")]
    [InlineData("deniedText=no", "deniedText")]
    [InlineData("mutedOnly=1", "mutedOnly")]
    [InlineData("notice=chat", "notice")]
    [InlineData("noticeAfter=5", "noticeAfter")]
    [InlineData("hintAfter=soon", "hintAfter")]
    [InlineData("endedText=all", "endedText")]
    [InlineData("recorders=3", "recorders")]
    [InlineData("recorders=1,1", "recorders")]
    [InlineData("chatAfter=x", "chatAfter")]
    [InlineData("uncounted=1", "uncounted")]
    [InlineData("reconnect=10", "reconnect")]
    [InlineData("reconnect=18-10", "reconnect")]
    [InlineData("mute=6-", "mute")]
    [InlineData("networkLost=9-7", "networkLost")]
    [InlineData("streams=0", "streams")]
    [InlineData("elements=two", "elements")]
    [InlineData("stereo=mono", "stereo")]
    [InlineData("level=0", "level")]
    [InlineData("level=quiet", "level")]
    [InlineData("deaf=twice", "deaf")]
    [InlineData("recreateAt=-1", "recreateAt")]
    [InlineData("replaceAt=x", "replaceAt")]
    [InlineData("renegotiateAt=x", "renegotiateAt")]
    [InlineData("swapAt=x", "swapAt")]
    [InlineData("crashAt=x", "crashAt")]
    [InlineData("reloadAt=x", "reloadAt")]
    [InlineData("tricks=alert", "tricks")]
    [InlineData("tricks=sing:5", "tricks")]
    [InlineData("epoch=today", "epoch")]
    [InlineData("durations=40", "durations")]
    public void Invalid_parameter_is_named_in_the_error(string query, string parameter)
    {
        var (scenario, errors) = RehearsalQuery.Read(Split(query));

        Assert.Null(scenario);
        Assert.StartsWith($"{parameter} ", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void All_invalid_parameters_are_reported_at_once() =>
        Assert.Equal(
            ["apostrophe", "duration", "what"],
            RehearsalQuery.Read(Split("duration=x&apostrophe=y&what=z")).Errors.Select(error => error.Split(' ')[0]).Order());

    [Fact]
    public void Parameters_override_those_of_the_named_scenario()
    {
        var scenario = Read("scenario=waiting-room&duration=7");

        Assert.Equal((5, 7, 2), (scenario.Lobby.AnswerAfter, scenario.Call.EndAfter, scenario.Participants.Count));
    }

    [Fact]
    public void Every_named_scenario_is_valid_and_unique()
    {
        Assert.All(NamedScenario.All, scenario => Read($"scenario={scenario.Name}"));
        Assert.Distinct(NamedScenario.All.Select(scenario => scenario.Name));
    }

    private static RehearsalScenario Read(string query)
    {
        var (scenario, errors) = RehearsalQuery.Read(Split(query));
        Assert.Empty(errors);
        return scenario!;
    }

    private static IEnumerable<KeyValuePair<string, string>> Split(string query) => query
        .Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(part => part.Split('='))
        .Select(pair => KeyValuePair.Create(pair[0], pair[1]));
}
