using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>A recorder, its browser or the manager dies while a bot records.</summary>
[Collection(LifeTests.OfOneHost)]
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class InterruptedLifeTests(RecordingHost host)
{
    private ManagerProcess Manager => host.Manager;

    /// <summary>How much of the recorded seconds that the bot has reported a kill may cost, in seconds.</summary>
    private const double MaxLoss = 2;

    [Fact]
    public async Task A_recorder_that_is_killed_mid_meeting_still_yields_a_recording_with_the_reason()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=2&admitAfter=0&duration=600"));
        var recorded = await RecordedAsync(id, seconds: 13);
        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{id}");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        Assert.Equal("recorder_crashed", (string?)bot["reason"]);
        Assert.False((bool)bot["recording"]!["complete"]!);
        Assert.InRange((double)bot["recordedSeconds"]!, recorded - MaxLoss, double.PositiveInfinity);
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
        var path = Path.Combine(Manager.Storage, "recordings", "final", "user_anna", $"{id}.ogg");
        var report = (await LiveAudio.ReportAsync(path, participants: 2)).Besides(BusyMachine.AssertOnlyStallsAndTheEndAreMissing(Manager.Storage, bot));
        Assert.True(report.IsIntact, report.ToString());
    }

    /// <summary>Audio up to the last moments is kept, and the gap ends with the next browser.</summary>
    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("type=renderer")]
    [InlineData("about:blank")]
    public async Task A_killed_browser_costs_only_the_gap_in_the_manifest(string process)
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=2&admitAfter=0&duration=600"), userId: "dora");
        var recorded = await RecordedAsync(id, seconds: 6);
        await DockerCli.KillInsideAsync($"newar-bot-{id}", process);
        // The timeline continues with the next browser.
        await RecordedAsync(id, seconds: 25);
        await Manager.PostAsync($"/bots/{id}/stop");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        var gap = Assert.Single((await Manager.GetAsync($"/bots/{id}/manifest")).Body!["gaps"]!.AsArray(), gap => (string?)gap!["cause"] == "browser_restarted")!;
        Assert.InRange((double)gap["startSeconds"]!, recorded - MaxLoss, (double)gap["endSeconds"]!);
        Assert.False((bool)bot["recording"]!["complete"]!, bot.ToJsonString());
    }

    [Fact]
    public async Task A_manager_that_is_killed_while_a_bot_records_loses_no_audio()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=2&admitAfter=0&duration=30"), userId: "bert");
        await RecordedAsync(id, seconds: 5);
        Manager.Kill();
        // The manager serves the meeting too, but its page is already loaded and continues without a connection.
        await Manager.StartAsync();
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(Manager.Storage, bot);
        var path = Path.Combine(Manager.Storage, "recordings", "final", "user_bert", $"{id}.ogg");
        var report = (await LiveAudio.ReportAsync(path, participants: 2)).Besides(stalls);
        Assert.True(report.IsIntact, report.ToString());
        Assert.Empty(report.Lost(first: 6, last: 28));
    }

    [Fact]
    public async Task A_recorder_that_exits_while_no_manager_runs_is_finalized_by_the_next_manager()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=1&admitAfter=0&duration=600"), userId: "carla");
        await RecordedAsync(id, seconds: 4);
        Manager.Kill();
        await DockerCli.RunAsync("stop", "--time", "20", $"newar-bot-{id}");
        await Manager.StartAsync();
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        Assert.Equal("stop_requested", (string?)bot["reason"]);
        BusyMachine.AssertOnlyStallsAreMissing(Manager.Storage, bot);
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
    }

    private async Task<double> RecordedAsync(string id, double seconds)
    {
        double recorded = 0;
        await Eventually.TrueAsync(
            async () => (recorded = (double)(await Manager.GetAsync($"/bots/{id}")).Body!["recordedSeconds"]!) >= seconds,
            TimeSpan.FromSeconds(90));
        return recorded;
    }
}
