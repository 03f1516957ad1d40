using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Lives;

/// <summary>
/// On a busy machine, Chromium stalls, and the recording declares the gaps. Tests about something else excuse such gaps and nothing more. Generated
/// audio (<see cref="LightHost"/>) never stalls.
/// </summary>
internal static class BusyMachine
{
    /// <summary>
    /// Asserts that the recording misses nothing but declared stalls, which are less than half of it, and that the bot's <c>complete</c> and
    /// <c>missingSeconds</c> agree with them.
    /// </summary>
    /// <param name="storage">The manager's storage folder.</param>
    /// <param name="bot">The bot, after its end.</param>
    /// <returns>The stalls, in order.</returns>
    public static IReadOnlyList<Gap> AssertOnlyStallsAreMissing(string storage, JsonNode bot)
    {
        var manifest = ManifestOf(storage, bot);
        var account = AccountOf(manifest, bot);
        var (recording, expected) = (bot["recording"]!, Completeness.Of(manifest, endedCleanly: true));
        Assert.True(Completeness.Of(manifest with { Gaps = [] }, endedCleanly: true).IsComplete, account);
        Assert.True((expected.IsComplete, expected.MissingSeconds) == ((bool)recording["complete"]!, (double)recording["missingSeconds"]!), account);
        Assert.True(expected.MissingSeconds < manifest.DurationSeconds / 2, account);
        Assert.True(manifest.Gaps.All(gap => gap.Cause is GapCause.CaptureStalled), account);
        return manifest.Gaps;
    }

    /// <summary>
    /// For a recorder that was killed: asserts that the recording misses nothing but declared stalls, and up to two seconds at its end that the recorder
    /// had reported but not flushed yet.
    /// </summary>
    /// <returns>The gaps, in order.</returns>
    public static IReadOnlyList<Gap> AssertOnlyStallsAndTheEndAreMissing(string storage, JsonNode bot)
    {
        var manifest = ManifestOf(storage, bot);
        Assert.True(
            manifest.Gaps.All(gap => gap.Cause is GapCause.CaptureStalled
                || (gap.Cause is GapCause.ChunkMissing && gap.StartSeconds >= manifest.DurationSeconds && gap.EndSeconds - gap.StartSeconds <= 2)),
            AccountOf(manifest, bot));
        return manifest.Gaps;
    }

    private static RecordingManifest ManifestOf(string storage, JsonNode bot) => RecordingManifest.TryRead(
        new StorageLayout(storage).Manifest(UserId.Parse((string)bot["userId"]!), SessionId.Parse((string)bot["id"]!)))!;

    private static string AccountOf(RecordingManifest manifest, JsonNode bot) =>
        $"{bot}\n{string.Join('\n', manifest.Gaps)}\n{string.Join('\n', manifest.Chunks)}";
}
