using CliWrap;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Recorders that die without a final status message.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class DyingRecorderTests(LightHost host) : IClassFixture<LightHost>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_killed_recorder_yields_a_partial_recording_within_seconds_that_misses_at_most_two_seconds()
    {
        var engine = new EngineEvents(host.Manager.Stack);
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "killed");
        await host.RecordedAsync(id, seconds: 12);
        var startedAt = (DateTimeOffset)(await host.Manager.GetAsync($"/bots/{id}")).Body!["recordingAt"]!;
        var killedAt = TimeProvider.System.GetUtcNow();
        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{id}");
        var bot = await host.Manager.UntilAsync(id, Timeout, "completed");

        Assert.InRange((DateTimeOffset)bot["endedAt"]! - killedAt, TimeSpan.Zero, Timeout);
        Assert.Equal("recorder_crashed", (string?)bot["reason"]);
        Assert.False((bool)bot["recording"]!["complete"]!);
        Assert.InRange((double)bot["recordedSeconds"]!, (killedAt - startedAt).TotalSeconds - 2, double.PositiveInfinity);
        await host.NothingIsLeftAsync(id, "killed", engine);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, "killed")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }

    [Fact]
    public async Task A_recorder_that_receives_many_stop_signals_still_completes_its_recording()
    {
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "nagged");
        await host.RecordedAsync(id, seconds: 2);
        while ((await Cli.Wrap("docker").WithArguments(["kill", "--signal", "TERM", $"newar-bot-{id}"])
            .WithValidation(CommandResultValidation.None).ExecuteAsync()).IsSuccess)
        {
            // Repeat until the container is gone.
        }

        var bot = await host.Manager.UntilAsync(id, Timeout, "completed");
        Assert.Equal("stop_requested", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_recorder_that_runs_out_of_memory_yields_a_partial_recording_with_that_reason()
    {
        var engine = new EngineEvents(host.Manager.Stack);
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "hungry");
        var recorded = await host.RecordedAsync(id, seconds: 3);
        // Makes the kernel's OOM killer choose the recorder. Its own user may raise the score.
        await DockerCli.RunAsync(
            "exec", "--detach", $"newar-bot-{id}", "sh", "-c",
            "for p in /proc/[0-9]*; do case $(readlink $p/exe) in *NewarBots.Recorder) echo 1000 > $p/oom_score_adj;; esac; done; tail /dev/zero");
        var bot = await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(4), "completed");

        Assert.Equal("out_of_memory", (string?)bot["reason"]);
        Assert.False((bool)bot["recording"]!["complete"]!);
        Assert.InRange((double)bot["recordedSeconds"]!, recorded - 2, double.PositiveInfinity);
        await host.NothingIsLeftAsync(id, "hungry", engine);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, "hungry")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }
}
