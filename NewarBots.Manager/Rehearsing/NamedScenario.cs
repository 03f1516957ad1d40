using NewarBots.Contract;

namespace NewarBots.Manager.Rehearsing;

/// <summary>A scenario that can be asked for by its name, and what a bot makes of it.</summary>
/// <param name="Name">As in <c>?scenario=denied</c>.</param>
/// <param name="Query">The parameters that it stands for.</param>
/// <param name="Story">What happens.</param>
/// <param name="Expected">What the bot does.</param>
/// <param name="Status">How the bot ends: completed or failed.</param>
/// <param name="Reason">With which reason.</param>
/// <param name="Leave">The leave condition that the story needs, and its seconds.</param>
internal sealed record NamedScenario(
    string Name,
    string Query,
    string Story,
    string Expected,
    BotStatus Status,
    EndReason Reason,
    (string Condition, int Seconds)? Leave = null)
{
    public static IReadOnlyList<NamedScenario> All { get; } =
    [
        new("three-speakers", "participants=3&duration=40",
            "Three people talk all at once for 40 seconds, then the host ends the call.",
            "Joins at once, records 40 s of three voices.", BotStatus.Completed, EndReason.MeetingEnded),
        new("waiting-room", "participants=2&admitAfter=5&duration=30",
            "Someone lets the guest in after 5 seconds; the host ends the call 30 s later.",
            "Reports waiting, and records only once it is inside.", BotStatus.Completed, EndReason.MeetingEnded),
        new("taking-turns", "participants=4&turns=5&duration=60",
            "Four people take turns of 5 seconds.",
            "Records a minute of one voice after the other.", BotStatus.Completed, EndReason.MeetingEnded),
        new("silence-first", "participants=1&speak=0:20-40&duration=45",
            "Nobody says a word for the first 20 seconds.",
            "Records the silence as silence, and then the voice, in its place.", BotStatus.Completed, EndReason.MeetingEnded),
        new("late-joiner", "participants=2&joinLate=1:15&duration=40",
            "The second participant comes after 15 seconds.",
            "Hears the late one too.", BotStatus.Completed, EndReason.MeetingEnded),
        new("everyone-leaves", "participants=2&leave=0:20,1:25",
            "One leaves after 20 seconds, the other after 25; the empty call stays open.",
            "Leaves by itself.", BotStatus.Completed, EndReason.EveryoneLeft, ("everyoneLeftTimeout", 10)),
        new("nobody-comes", "participants=0",
            "The guest is let in and nobody is there.",
            "Leaves by itself.", BotStatus.Completed, EndReason.NobodyJoined, ("nobodyJoinedTimeout", 15)),
        new("goes-quiet", "participants=2&speak=0:0-15,1:5-15",
            "After 15 seconds nobody speaks any more, and nobody leaves.",
            "Leaves by itself.", BotStatus.Completed, EndReason.Silence, ("silenceTimeout", 15)),
        new("never-ends", "participants=3&turns=4",
            "The call goes on until the guest leaves.",
            "Leaves at its maximum length, or when it is asked to stop.", BotStatus.Completed, EndReason.MaxDuration,
            ("maxDuration", 30)),
        new("kicked", "participants=2&kickAfter=20",
            "The host removes the guest after 20 seconds.",
            "Keeps the 20 seconds.", BotStatus.Completed, EndReason.RemovedByHost),
        new("denied", "denyAfter=3",
            "Someone in the call denies the request after 3 seconds; the waiting room's words stay on the page.",
            "Gives up at once.", BotStatus.Failed, EndReason.DeniedByHost),
        new("no-answer", "noAnswerAfter=10",
            "Nobody responds, and after 10 seconds the page says so.",
            "Gives up.", BotStatus.Failed, EndReason.WaitingRoomTimeout),
        new("waiting-forever", "admitAfter=never",
            "Nobody responds, and the page never says so.",
            "Gives up by itself.", BotStatus.Failed, EndReason.WaitingRoomTimeout, ("waitingRoomTimeout", 15)),
        new("not-found", "opens=notFound",
            "The code belongs to no meeting.",
            "Gives up at once.", BotStatus.Failed, EndReason.MeetingNotFound),
        new("blocked", "opens=blocked",
            "The platform turns the browser away.",
            "Gives up and shows the evidence; it never works around this.", BotStatus.Failed, EndReason.BlockedByPlatform),
        new("login-required", "opens=loginRequired",
            "The meeting takes signed-in guests only.",
            "Gives up at once.", BotStatus.Failed, EndReason.LoginRequired),
        new("typographic", "participants=2&admitAfter=2&kickAfter=20&apostrophe=typographic&joinButton=Ask to join anyway",
            "Every apostrophe is a typographic one, and the button has other words.",
            "Is not misled.", BotStatus.Completed, EndReason.RemovedByHost),
    ];

    public IEnumerable<KeyValuePair<string, string>> Parameters =>
        Query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
}
