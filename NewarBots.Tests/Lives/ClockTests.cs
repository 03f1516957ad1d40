using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>The manager's clock jumps while bots record, for example when the machine first reaches its time server.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class ClockTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(25)]
    [InlineData(-25)]
    public async Task A_clock_that_jumps_by_a_day_neither_ends_a_bot_nor_hides_the_end_of_one(int hours)
    {
        using var clock = new SettableClock();
        await using var host = await LightHost.StartAsync(clock.Environment);
        var manager = host.Manager;
        var engine = new EngineEvents(manager.Stack);
        var lives = await manager.RecordAsync(manager.Rehearsal("duration=40"), userId: "lives");
        var dies = await manager.RecordAsync(manager.Rehearsal("duration=600"), userId: "dies");
        var vanishes = await manager.RecordAsync(manager.Rehearsal("duration=600"), userId: "vanishes");
        await host.RecordedAsync(lives, seconds: 2);
        var recorded = await host.RecordedAsync(dies, seconds: 2);
        await host.RecordedAsync(vanishes, seconds: 2);

        clock.Set(TimeSpan.FromHours(hours));
        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{dies}");
        var died = await manager.UntilAsync(dies, Timeout, "completed");
        Assert.Equal("recorder_crashed", (string?)died["reason"]);
        Assert.True((double)died["recordedSeconds"]! >= recorded - 2, died.ToJsonString());

        var later = await manager.RecordAsync(manager.Rehearsal("duration=3"), userId: "later");
        Assert.True((bool)(await manager.UntilAsync(later, Timeout, "completed"))["recording"]!["complete"]!, await host.AccountOfAsync(later));

        // A manager that starts reconciles everything. It treats a missing container as gone only after a grace period.
        manager.Kill();
        await DockerCli.RunAsync("rm", "--force", $"newar-bot-{vanishes}");
        await manager.StartAsync();
        var vanished = await manager.UntilAsync(vanishes, TimeSpan.FromMinutes(3), "completed");
        Assert.Equal("recorder_crashed", (string?)vanished["reason"]);
        var lived = await manager.UntilAsync(lives, Timeout, "completed");
        Assert.Equal("meeting_ended", (string?)lived["reason"]);
        Assert.True((bool)lived["recording"]!["complete"]!, await host.AccountOfAsync(lives));
        Assert.Equal(4, (await engine.NamesAsync("create")).Count);
        Assert.Empty(await DockerCli.ContainersOfAsync(manager.Stack));
        Assert.Empty(host.Folders());
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(lives, "lives")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }
}
