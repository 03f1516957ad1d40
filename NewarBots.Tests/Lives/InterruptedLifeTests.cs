using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>A recorder, its browser or the manager dies while a bot records.</summary>
[Collection(LifeTests.OfOneHost)]
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class InterruptedLifeTests(RecordingHost host)
{
    private ManagerProcess Manager => host.Manager;

    /// <summary>Maximum loss before a kill, in seconds.</summary>
    private const double MaxLoss = 2;

    [Fact]
    public async Task A_recorder_that_is_killed_mid_meeting_still_yields_a_recording_with_the_reason()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=2&admitAfter=0&duration=600"));
        await RecordedAsync(id, seconds: 13);
        var killedAt = TimeProvider.System.GetUtcNow();
        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{id}");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromSeconds(60), "completed");

        Assert.Equal("recorder_crashed", (string?)bot["reason"]);
        Assert.False((bool)bot["recording"]!["complete"]!);
        Assert.InRange((double)bot["recordedSeconds"]!, await PlaceAsync(id, killedAt) - MaxLoss, double.PositiveInfinity);
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
        var path = Path.Combine(Manager.Storage, "recordings", "final", "user_anna", $"{id}.ogg");
        var report = await LiveAudio.ReportAsync(path, participants: 2);
        Assert.True(report.IsClean, report.ToString());
    }

    /// <summary>Audio up to the last moments is kept, and the gap ends with the next browser.</summary>
    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("type=renderer")]
    [InlineData("about:blank")]
    public async Task A_killed_browser_costs_only_the_gap_in_the_manifest(string process)
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=2&admitAfter=0&duration=600"), userId: "dora");
        await RecordedAsync(id, seconds: 6);
        var killedAt = TimeProvider.System.GetUtcNow();
        await DockerCli.KillInsideAsync($"newar-bot-{id}", process);
        // The timeline continues with the next browser.
        await RecordedAsync(id, seconds: 25);
        await Manager.PostAsync($"/bots/{id}/stop");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromSeconds(60), "completed");

        var gap = Assert.Single((await Manager.GetAsync($"/bots/{id}/manifest")).Body!["gaps"]!.AsArray(), gap => (string?)gap!["cause"] == "browser_restarted")!;
        Assert.InRange((double)gap["startSeconds"]!, await PlaceAsync(id, killedAt) - MaxLoss, (double)gap["endSeconds"]!);
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
        var bot = await Manager.UntilAsync(id, TimeSpan.FromSeconds(90), "completed");

        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, bot.ToJsonString());
        Assert.True((double)bot["recordedSeconds"]! >= 28, bot.ToJsonString());
    }

    [Fact]
    public async Task A_recorder_that_exits_while_no_manager_runs_is_finalized_by_the_next_manager()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=1&admitAfter=0&duration=600"), userId: "carla");
        await RecordedAsync(id, seconds: 4);
        Manager.Kill();
        await DockerCli.RunAsync("stop", "--time", "20", $"newar-bot-{id}");
        await Manager.StartAsync();
        var bot = await Manager.UntilAsync(id, TimeSpan.FromSeconds(60), "completed");

        Assert.Equal("stop_requested", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, bot.ToJsonString());
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
    }

    /// <summary>The position of a moment in the recording, in seconds.</summary>
    private async Task<double> PlaceAsync(string id, DateTimeOffset moment) =>
        (moment - (DateTimeOffset)(await Manager.GetAsync($"/bots/{id}/manifest")).Body!["startedAt"]!).TotalSeconds;

    private async Task<double> RecordedAsync(string id, double seconds)
    {
        double recorded = 0;
        await Eventually.TrueAsync(
            async () => (recorded = (double)(await Manager.GetAsync($"/bots/{id}")).Body!["recordedSeconds"]!) >= seconds,
            TimeSpan.FromSeconds(90));
        return recorded;
    }
}
