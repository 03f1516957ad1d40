using NewarBots.Contract;

namespace NewarBots.Manager.Rehearsal;

/// <summary>A scenario that can be asked for by its name, and what a bot makes of it.</summary>
/// <param name="Group">Where the index shows it.</param>
/// <param name="Name">As in <c>?scenario=denied</c>.</param>
/// <param name="Query">The parameters that it stands for.</param>
/// <param name="Story">What happens.</param>
/// <param name="Expected">What the bot does.</param>
/// <param name="Status">How the bot ends: completed or failed.</param>
/// <param name="Reason">With which reason.</param>
/// <param name="Leave">The leave condition that the story needs, and its seconds.</param>
internal sealed partial record NamedScenario(
    ScenarioGroup Group,
    string Name,
    string Query,
    string Story,
    string Expected,
    BotStatus Status,
    EndReason Reason,
    (string Condition, int Seconds)? Leave = null)
{
    public IEnumerable<KeyValuePair<string, string>> Parameters =>
        Query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));

    /// <summary>The guest comes back into a call that goes on: it needs <c>epoch</c>, so that the call's clock does too.</summary>
    public bool NeedsEpoch => Parameters.Any(parameter => parameter.Key is "crashAt" or "reloadAt");

    /// <summary>In the order of a bot's life.</summary>
    public static IReadOnlyList<NamedScenario> All { get; } =
        [.. AtTheDoor, .. InTheWaitingRoom, .. InTheCall, .. OfAudio, .. OfLeaving, .. OnBadPages];

    /// <summary>One that records until the host ends the call.</summary>
    private static NamedScenario Recorded(ScenarioGroup group, string name, string query, string story, string expected) =>
        new(group, name, query, story, expected, BotStatus.Completed, EndReason.MeetingEnded);

    private static NamedScenario Refused(
        ScenarioGroup group, string name, string query, string story, string expected, EndReason reason, (string, int)? leave = null) =>
        new(group, name, query, story, expected, BotStatus.Failed, reason, leave);
}

internal enum ScenarioGroup
{
    Door,
    WaitingRoom,
    Call,
    Audio,
    Leaving,
    BadPages,
}
