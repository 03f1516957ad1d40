using NewarBots.Contract;

namespace NewarBots.Manager.Rehearsing;

internal sealed partial record NamedScenario
{
    private static NamedScenario[] AtTheDoor =>
    [
        Recorded(ScenarioGroup.Door, "dialogs", "participants=2&dialogs=withoutAccount,withoutDevices&mutedOnly=true&duration=14",
            "Two dialogs lie over the door, one over the other; who has a microphone on is removed.",
            "Goes on without an account and without devices."),
        Recorded(ScenarioGroup.Door, "got-it-twice", "participants=2&dialogs=gotIt,gotIt&mutedOnly=true&duration=14",
            "Two dialogs with the same button: only the upper one can be clicked.",
            "Answers the upper one first."),
        Recorded(ScenarioGroup.Door, "camera-not-found", "participants=2&toast=8&mutedOnly=true&duration=14",
            "\"Camera not found\" lies over the join button for 8 seconds and ignores Escape.",
            "Closes it, or waits."),
        Recorded(ScenarioGroup.Door, "signed-in", "participants=2&signedIn=true&mutedOnly=true&duration=14",
            "The guest is known: nobody asks for a name.",
            "Joins without giving one."),
        Recorded(ScenarioGroup.Door, "late-toggles", "participants=2&togglesAfter=2&mutedOnly=true&duration=14",
            "Microphone and camera can be turned off only 2 seconds after the join button is there; the host removes who forgot to.",
            "Joins once both are off."),
        Recorded(ScenarioGroup.Door, "stubborn-toggles", "participants=2&toggleClicks=2&toggles=button&mutedOnly=true&duration=14",
            "Microphone and camera heed the second click only; the host removes who forgot to turn them off.",
            "Sees that the first click did nothing, and joins once both are off."),
        Recorded(ScenarioGroup.Door, "recording-notice", "participants=2&notice=recording&duration=14",
            "\"This call is being recorded\": nothing is heard before a second \"Join now\".",
            "Joins a second time."),
        Refused(ScenarioGroup.Door, "not-found", "opens=notFound",
            "The code belongs to no meeting.",
            "Gives up at once.", EndReason.MeetingNotFound),
        Refused(ScenarioGroup.Door, "blocked", "opens=blocked",
            "The platform turns the browser away.",
            "Gives up and shows the evidence; it never works around this.", EndReason.BlockedByPlatform),
        Refused(ScenarioGroup.Door, "login-required", "opens=loginRequired",
            "The meeting takes signed-in guests only.",
            "Gives up at once.", EndReason.LoginRequired),
    ];

    private static NamedScenario[] InTheWaitingRoom =>
    [
        Recorded(ScenarioGroup.WaitingRoom, "waiting-room", "participants=2&admitAfter=5&duration=30",
            "Someone lets the guest in after 5 seconds; the host ends the call 30 s later.",
            "Reports waiting, and records only once it is inside."),
        new(ScenarioGroup.WaitingRoom, "typographic", "participants=2&admitAfter=2&kickAfter=20&apostrophe=typographic&joinButton=Ask to join anyway",
            "Every apostrophe is a typographic one, and the button has other words.",
            "Is not misled.", BotStatus.Completed, EndReason.RemovedByHost),
        Refused(ScenarioGroup.WaitingRoom, "denied", "denyAfter=3",
            "Someone in the call denies the request after 3 seconds; the waiting room's words stay on the page.",
            "Gives up at once.", EndReason.DeniedByHost),
        Refused(ScenarioGroup.WaitingRoom, "no-answer", "noAnswerAfter=10",
            "Nobody responds, and after 10 seconds the page says so.",
            "Gives up.", EndReason.WaitingRoomTimeout),
        Refused(ScenarioGroup.WaitingRoom, "waiting-forever", "admitAfter=never",
            "Nobody responds, and the page never says so.",
            "Gives up by itself.", EndReason.WaitingRoomTimeout, ("waitingRoomTimeout", 15)),
    ];

    private static NamedScenario[] InTheCall =>
    [
        Recorded(ScenarioGroup.Call, "three-speakers", "participants=3&duration=40",
            "Three people talk all at once for 40 seconds, then the host ends the call.",
            "Joins at once, records 40 s of three voices."),
        Recorded(ScenarioGroup.Call, "taking-turns", "participants=4&turns=5&duration=60",
            "Four people take turns of 5 seconds.",
            "Records a minute of one voice after the other."),
        Recorded(ScenarioGroup.Call, "late-joiner", "participants=2&joinLate=1:15&duration=40",
            "The second participant comes after 15 seconds.",
            "Hears the late one too."),
        Recorded(ScenarioGroup.Call, "transcription-notice", "participants=2&notice=transcription&noticeAfter=5&duration=18",
            "After 5 seconds the call is being transcribed; who does not join a second time is removed 8 seconds later.",
            "Joins a second time and misses nothing."),
        Recorded(ScenarioGroup.Call, "seen-differently", "participants=2&hintAfter=3&duration=14",
            "\"Others may see your video differently\" lies over the call.",
            "Says \"Got it\"."),
    ];

    private static NamedScenario[] OfAudio =>
    [
        Recorded(ScenarioGroup.Audio, "silence-first", "participants=1&speak=0:20-40&duration=45",
            "Nobody says a word for the first 20 seconds.",
            "Records the silence as silence, and then the voice, in its place."),
    ];

    private static NamedScenario[] OfLeaving =>
    [
        new(ScenarioGroup.Leaving, "everyone-leaves", "participants=2&leave=0:20,1:25",
            "One leaves after 20 seconds, the other after 25; the empty call stays open.",
            "Leaves by itself.", BotStatus.Completed, EndReason.EveryoneLeft, ("everyoneLeftTimeout", 10)),
        new(ScenarioGroup.Leaving, "nobody-comes", "participants=0",
            "The guest is let in and nobody is there.",
            "Leaves by itself.", BotStatus.Completed, EndReason.NobodyJoined, ("nobodyJoinedTimeout", 15)),
        new(ScenarioGroup.Leaving, "goes-quiet", "participants=2&speak=0:0-15,1:5-15",
            "After 15 seconds nobody speaks any more, and nobody leaves.",
            "Leaves by itself.", BotStatus.Completed, EndReason.Silence, ("silenceTimeout", 15)),
        new(ScenarioGroup.Leaving, "never-ends", "participants=3&turns=4",
            "The call goes on until the guest leaves.",
            "Leaves at its maximum length, or when it is asked to stop.", BotStatus.Completed, EndReason.MaxDuration,
            ("maxDuration", 30)),
        new(ScenarioGroup.Leaving, "kicked", "participants=2&kickAfter=20",
            "The host removes the guest after 20 seconds.",
            "Keeps the 20 seconds.", BotStatus.Completed, EndReason.RemovedByHost),
    ];

    private static NamedScenario[] OnBadPages => [];
}
