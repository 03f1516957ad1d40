using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Containers;

/// <summary>Everything about one recorder's container that the engine has to be told; the same for every engine.</summary>
/// <param name="Environment">What the recorder is told; its session and user ids become labels as well.</param>
/// <param name="SessionFolder">The bot's own folder as the manager sees it: the only thing mounted.</param>
internal sealed record RecorderContainerSpec(RecorderEnvironment Environment, string SessionFolder)
{
    /// <summary>The caller's own words about the bot: not for the recorder, but kept with its container.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public string Name => RecorderContainerName.Of(Environment.SessionId);
}
