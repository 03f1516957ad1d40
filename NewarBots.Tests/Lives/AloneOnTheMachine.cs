namespace NewarBots.Tests.Lives;

/// <summary>
/// Whole bots want the machine for themselves: while they record, no other test runs. What a recorder misses because the
/// machine is too busy is a true gap in its recording, and no test's business.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneOnTheMachine : ICollectionFixture<RecordingHost>
{
    public const string Name = "Lives";
}
