using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>The engine restarts, and its containers with it.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class EngineRestartTests
{
    private const string LightImage = "newarbots-tests/light:dev";

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_an_engine_restart_interrupted_bots_are_finalized_and_waiting_bots_record(bool isKilled)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may run a Docker engine.");
        await BuildLightImageAsync();
        await using var engine = await PrivateEngine.RunAsync();
        await engine.LoadAsync(LightImage);
        await using var host = await LightHost.StartAsync(("Launching__DockerHost", engine.Address), ("Launching__Image", LightImage));
        var manager = host.Manager;
        var ends = await manager.RecordAsync(manager.Rehearsal("duration=600"), userId: "ends");
        var recorded = await host.RecordedAsync(ends, seconds: 5);

        if (isKilled)
            engine.Kill();
        else
            await engine.TerminateAsync();
        var waits = await manager.RecordAsync(manager.Rehearsal("duration=3"), userId: "waits");
        await Eventually.TrueAsync(async () => (string?)(await manager.GetAsync("/health")).Body!["checks"]!["docker"]!["status"] == "degraded", Timeout);
        Assert.Equal("queued", (string?)(await manager.GetAsync($"/bots/{waits}")).Body!["status"]);
        await engine.StartAsync();

        var ended = await manager.UntilAsync(ends, Timeout, "completed");
        // A restarted engine sends SIGTERM to containers that survived it, but may not wait for their exit.
        var isAsked = !isKilled || (string?)ended["reason"] == "stop_requested";
        Assert.Equal(isAsked ? "stop_requested" : "recorder_crashed", (string?)ended["reason"]);
        Assert.Equal(isAsked, (bool)ended["recording"]!["complete"]!);
        Assert.True((double)ended["recordedSeconds"]! >= recorded - 2, ended.ToJsonString());
        Assert.True((bool)(await manager.UntilAsync(waits, Timeout, "completed"))["recording"]!["complete"]!, await host.AccountOfAsync(waits));
        Assert.Empty(await engine.RunAsync("ps", "--all", "--quiet"));
        foreach (var (id, user) in new[] { (ends, "ends"), (waits, "waits") })
        {
            Assert.False(Directory.Exists(host.FolderOf(id, user)));
            var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, user)), participants: 1);
            Assert.True(report.IsClean, report.ToString());
        }
    }

    /// <summary>Builds the recorder without its browser, which generated audio does not need and which takes long to copy.</summary>
    private static async Task BuildLightImageAsync()
    {
        var recorder = Environment.GetEnvironmentVariable("Launching__Image") ?? "newarbots/recorder:dev";
        var dockerfile = $"""
            FROM {recorder} AS recorder
            FROM debian:bookworm-slim
            COPY --from=recorder /app/NewarBots.* /app/*.dll /app/*.so /app/*.json /app/
            COPY --from=recorder /usr/lib/*-linux-gnu/libssl.so* /usr/lib/*-linux-gnu/libcrypto.so* /usr/lib/
            ENV HOME=/tmp
            ENTRYPOINT ["/app/NewarBots.Recorder"]
            """;
        await Cli.Wrap("docker").WithArguments(["build", "--tag", LightImage, "-"])
            .WithStandardInputPipe(PipeSource.FromString(dockerfile))
            .ExecuteBufferedAsync();
    }
}
