namespace NewarBots.Tests.Lives;

/// <summary>Tests that use the machine's fixed ports, or open several pages at a time, run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneOnTheMachine
{
    public const string Name = "Alone on the machine";
}
