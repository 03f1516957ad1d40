namespace NewarBots.Tests.Lives;

/// <summary>
/// Tests that measure audio exactly, or open several pages at a time, run alone. On a busy machine a recorder misses audio, which is a real gap in
/// its recording and would fail the test.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneOnTheMachine : ICollectionFixture<RecordingHost>
{
    public const string Name = "Alone on the machine";
}
