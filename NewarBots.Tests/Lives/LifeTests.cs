namespace NewarBots.Tests.Lives;

/// <summary>
/// Tests of whole bots, which wait most of the time. <c>./test</c> runs them apart from all others and a few at once. Tests whose recordings must be complete
/// are not among them unless the audio is generated: see <see cref="AloneOnTheMachine"/>.
/// </summary>
internal static class LifeTests
{
    /// <summary>Name of the trait.</summary>
    public const string Group = "Group";

    /// <summary>Value of the trait.</summary>
    public const string Name = "Lives";
}
