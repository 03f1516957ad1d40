using NewarBots.Contract;

namespace NewarBots.Manager.Rehearsal;

/// <summary>A rehearsal with a name, and how a bot is expected to end in it.</summary>
/// <param name="Group">The section of the index that lists it.</param>
/// <param name="Name">The value of the query parameter <c>scenario</c>.</param>
/// <param name="Query">The query parameters it stands for.</param>
/// <param name="Description">The course of the meeting.</param>
/// <param name="Expected">The expected reaction of the bot, as a sentence without its subject.</param>
/// <param name="Status">The bot's final status: completed or failed.</param>
/// <param name="Reason">The bot's final reason.</param>
/// <param name="Leave">The leave condition that the scenario needs, and its timeout in seconds.</param>
internal sealed partial record NamedScenario(
    ScenarioGroup Group,
    string Name,
    string Query,
    string Description,
    string Expected,
    BotStatus Status,
    EndReason Reason,
    (string Condition, int Seconds)? Leave = null)
{
    public IEnumerable<KeyValuePair<string, string>> Parameters =>
        Query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));

    /// <summary>The guest rejoins a running call, so the link needs the parameter <c>epoch</c> to keep the call's clock.</summary>
    public bool NeedsEpoch => Parameters.Any(parameter => parameter.Key is "crashAt" or "reloadAt");

    /// <summary>In the order in which a bot goes through a meeting.</summary>
    public static IReadOnlyList<NamedScenario> All { get; } =
        [.. BeforeJoining, .. InTheWaitingRoom, .. InTheCall, .. WithAudio, .. WhenLeaving, .. OnMisbehavingPages];

    /// <summary>The bot records until the host ends the call.</summary>
    private static NamedScenario Recorded(ScenarioGroup group, string name, string query, string description, string expected) =>
        new(group, name, query, description, expected, BotStatus.Completed, EndReason.MeetingEnded);

    /// <summary>The bot never gets into the call.</summary>
    private static NamedScenario Refused(
        ScenarioGroup group, string name, string query, string description, string expected, EndReason reason, (string, int)? leave = null) =>
        new(group, name, query, description, expected, BotStatus.Failed, reason, leave);
}

internal enum ScenarioGroup
{
    BeforeJoining,
    WaitingRoom,
    Call,
    Audio,
    Leaving,
    MisbehavingPages,
}
