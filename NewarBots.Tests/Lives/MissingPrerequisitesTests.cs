using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>A prerequisite of the manager is missing.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class MissingPrerequisitesTests(RedisServer redis) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task Without_the_recorder_image_a_bot_fails_with_the_command_that_builds_it()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Launching__Image", "newarbots/recorder:missing"));
        var id = await manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        var bot = await manager.UntilAsync(id, TimeSpan.FromMinutes(3), "failed");

        Assert.Equal("launch_failed", (string?)bot["reason"]);
        Assert.Contains("eng/image recorder", (string?)bot["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_FFmpeg_the_chunks_are_kept_until_it_is_installed()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Finalizing__FFmpegPath", "/nowhere/ffmpeg"));
        var (_, health) = await manager.GetAsync("/health");
        Assert.Equal("degraded", (string?)health!["checks"]!["ffmpeg"]!["status"]);
        Assert.Contains("/nowhere/ffmpeg", (string?)health["checks"]!["ffmpeg"]!["description"], StringComparison.Ordinal);

        var id = await manager.RecordAsync(manager.Rehearsal("participants=1&admitAfter=0&duration=3"));
        await manager.UntilAsync(id, TimeSpan.FromMinutes(3), "finalizing");
        manager.Kill();
        await manager.StartAsync(("Finalizing__FFmpegPath", "ffmpeg"));
        var bot = await manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        Assert.True((bool)bot["recording"]!["complete"]!, bot.ToJsonString());
    }
}
