namespace NewarBots.Tests.Fixtures;

/// <summary>Reads container events of a stack from the Docker engine, independently of the product.</summary>
/// <param name="stack">The stack's label. Earlier events are ignored.</param>
internal sealed class EngineEvents(string stack)
{
    private readonly long _since = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    /// <returns>Container names of all events with this action, in order, including duplicates.</returns>
    public async Task<IReadOnlyList<string>> NamesAsync(string action)
    {
        // The engine keeps its latest events, so they can be read afterwards.
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;
        var events = await DockerCli.RunAsync(
            "events", "--since", $"{_since}", "--until", $"{now}", "--filter", "type=container", "--filter", $"event={action}",
            "--filter", $"label=newarbots.stack={stack}", "--format", "{{.Actor.Attributes.name}}");
        return events.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
