using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsing;

namespace NewarBots.Tests.Lives;

/// <summary>
/// A manager that is killed while its bot is in each of the states of its life, and the next one after it. Joining is left out:
/// there the rehearsal, which the manager itself serves, would die with it, and with a real meeting nothing does.
/// </summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class KilledManagerTests(RecordingHost host)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Theory]
    [InlineData("queued")]
    [InlineData("launching")]
    [InlineData("waiting")]
    [InlineData("recording")]
    [InlineData("leaving")]
    [InlineData("finalizing")]
    public async Task Whenever_a_manager_is_killed_the_next_one_brings_its_bot_to_a_whole_recording(string status)
    {
        var manager = host.Manager;
        var user = $"killed-{status}";
        var id = await manager.RecordAsync(manager.Rehearsal("participants=1&admitAfter=4&duration=6"), userId: user);
        await manager.UntilAsync(id, Patience, From(status));
        manager.Kill();
        await manager.StartAsync();
        var bot = await manager.UntilAsync(id, Patience, "completed");

        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, bot.ToJsonString());
        Assert.Empty(await DockerCli.ContainersOfAsync(manager.Stack));
        var recordings = Path.Combine(manager.Storage, "recordings");
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(recordings, "temp", $"user_{user}")));
        Assert.Equal(
            [$"{id}.json", $"{id}.log", $"{id}.ogg"],
            Directory.GetFileSystemEntries(Path.Combine(recordings, "final", $"user_{user}")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var audio = await AudioFile.DecodeAsync(Path.Combine(recordings, "final", $"user_{user}", $"{id}.ogg"));
        Assert.True(TimeCodeReport.Of(audio, participants: 1).IsClean);
    }

    /// <summary>The status and all behind it: one that is so short that nobody sees it has been passed by then.</summary>
    private static string[] From(string status)
    {
        string[] order = ["queued", "launching", "joining", "waiting", "recording", "leaving", "finalizing", "completed"];
        return [.. order.SkipWhile(earlier => earlier != status)];
    }
}
