namespace NewarBots.Tests.Lives;

/// <summary>
/// Tests of whole bots and recorders, which wait most of the time. <c>./test</c> runs them apart from all others and a few at once. They excuse gaps of a busy
/// machine; tests that measure audio exactly are <see cref="CallTests"/>.
/// </summary>
internal static class LifeTests
{
    /// <summary>Name of the trait. <c>./test</c> runs each group by itself.</summary>
    public const string Group = "Group";

    /// <summary>Value of the trait.</summary>
    public const string Name = "Lives";

    /// <summary>Name of the collection of tests that share a <see cref="RecordingHost"/>.</summary>
    public const string OfOneHost = "Lives of one host";
}

[CollectionDefinition(LifeTests.OfOneHost)]
public sealed class LivesOfOneHost : ICollectionFixture<RecordingHost>;
