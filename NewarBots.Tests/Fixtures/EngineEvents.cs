namespace NewarBots.Tests.Fixtures;

/// <summary>What the engine says happened to a stack's containers, from outside the product.</summary>
/// <param name="stack">Whose, from now on.</param>
internal sealed class EngineEvents(string stack)
{
    private readonly long _since = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    /// <returns>The names of the containers to which this happened, in order, as often as it did.</returns>
    public async Task<IReadOnlyList<string>> NamesAsync(string what)
    {
        // The engine keeps its latest events: nobody has to listen while they happen.
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;
        var events = await DockerCli.RunAsync(
            "events", "--since", $"{_since}", "--until", $"{now}", "--filter", "type=container", "--filter", $"event={what}",
            "--filter", $"label=newarbots.stack={stack}", "--format", "{{.Actor.Attributes.name}}");
        return events.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
