namespace NewarBots.Tests.Lives;

/// <summary>
/// Tests of the audio of whole calls, in real time. <c>./test</c> runs two of their classes at a time and nothing else, because a recorder on a busy
/// machine misses audio, which is a real gap in its recording.
/// </summary>
internal static class CallTests
{
    /// <summary>Value of the trait <see cref="LifeTests.Group"/>.</summary>
    public const string Name = "Calls";

    /// <summary>Name of the collection of tests that share a <see cref="RecordingHost"/>.</summary>
    public const string OfOneHost = "Calls of one host";
}

[CollectionDefinition(CallTests.OfOneHost)]
public sealed class CallsOfOneHost : ICollectionFixture<RecordingHost>;
