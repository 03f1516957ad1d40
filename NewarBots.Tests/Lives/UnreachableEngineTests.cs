using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>An engine that hangs or is unreachable for a while, although most containers keep running.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class UnreachableEngineTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task While_the_engine_is_unreachable_no_bot_is_declared_dead_and_new_bots_wait(bool hangs)
    {
        await using var proxy = new EngineProxy();
        await using var host = await LightHost.StartAsync(("Launching__DockerHost", proxy.Address));
        var manager = host.Manager;
        var engine = new EngineEvents(manager.Stack);
        var lives = await manager.RecordAsync(manager.Rehearsal("duration=60"), userId: "lives");
        var dies = await manager.RecordAsync(manager.Rehearsal("duration=600"), userId: "dies");
        await host.RecordedAsync(lives, seconds: 2);
        var recorded = await host.RecordedAsync(dies, seconds: 3);

        if (hangs)
            proxy.Hang();
        else
            proxy.Disconnect();
        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{dies}");
        var waits = await manager.RecordAsync(manager.Rehearsal("duration=3"), userId: "waits");
        // Longer than the grace period of a missing container.
        await host.RecordedAsync(lives, seconds: 45);
        Assert.Equal("recording", (string?)(await manager.GetAsync($"/bots/{lives}")).Body!["status"]);
        Assert.Equal("recording", (string?)(await manager.GetAsync($"/bots/{dies}")).Body!["status"]);
        Assert.Equal("queued", (string?)(await manager.GetAsync($"/bots/{waits}")).Body!["status"]);
        Assert.Equal("degraded", (string?)(await manager.GetAsync("/health")).Body!["checks"]!["docker"]!["status"]);

        if (hangs)
            proxy.Resume();
        else
            proxy.Reconnect();
        var died = await manager.UntilAsync(dies, Timeout, "completed");
        Assert.Equal("recorder_crashed", (string?)died["reason"]);
        Assert.True((double)died["recordedSeconds"]! >= recorded - 2, died.ToJsonString());
        foreach (var id in new[] { waits, lives })
            Assert.True((bool)(await manager.UntilAsync(id, Timeout, "completed"))["recording"]!["complete"]!, await host.AccountOfAsync(id));
        Assert.Equal(3, (await engine.NamesAsync("create")).Count);
        Assert.Empty(await DockerCli.ContainersOfAsync(manager.Stack));
        Assert.Empty(host.Folders());
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(lives, "lives")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }

    [Fact]
    public async Task A_recorder_that_dies_while_the_engine_is_disconnected_yields_a_partial_recording_within_seconds()
    {
        await using var proxy = new EngineProxy();
        await using var host = await LightHost.StartAsync(("Launching__DockerHost", proxy.Address));
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "unheard");
        await host.RecordedAsync(id, seconds: 3);

        proxy.Disconnect();
        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{id}");
        var killedAt = TimeProvider.System.GetUtcNow();
        proxy.Reconnect();
        var bot = await host.Manager.UntilAsync(id, Timeout, "completed");

        Assert.Equal("recorder_crashed", (string?)bot["reason"]);
        Assert.InRange((DateTimeOffset)bot["endedAt"]! - killedAt, TimeSpan.Zero, Timeout);
    }
}
