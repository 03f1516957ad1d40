using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>The engine itself is restarted, and its containers with it.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class EngineRestartTests
{
    private const string LightImage = "newarbots-tests/light:dev";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bots_that_ended_with_the_engine_are_finalised_and_those_that_were_sent_meanwhile_record(bool isKilled)
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
        await Eventually.TrueAsync(async () => (string?)(await manager.GetAsync("/health")).Body!["checks"]!["docker"]!["status"] == "degraded", Patience);
        Assert.Equal("queued", (string?)(await manager.GetAsync($"/bots/{waits}")).Body!["status"]);
        await engine.StartAsync();

        var ended = await manager.UntilAsync(ends, Patience, "completed");
        // An engine that comes back finds the containers that outlived it and asks them to end, and may not wait until they have.
        var isAsked = !isKilled || (string?)ended["reason"] == "stop_requested";
        Assert.Equal(isAsked ? "stop_requested" : "recorder_crashed", (string?)ended["reason"]);
        Assert.Equal(isAsked, (bool)ended["recording"]!["complete"]!);
        Assert.True((double)ended["recordedSeconds"]! >= recorded - 2, ended.ToJsonString());
        Assert.True((bool)(await manager.UntilAsync(waits, Patience, "completed"))["recording"]!["complete"]!, await host.AccountOfAsync(waits));
        Assert.Empty(await engine.RunAsync("ps", "--all", "--quiet"));
        foreach (var (id, user) in new[] { (ends, "ends"), (waits, "waits") })
        {
            Assert.False(Directory.Exists(host.FolderOf(id, user)));
            var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, user)), participants: 1);
            Assert.True(report.IsClean, report.ToString());
        }
    }

    /// <summary>The recorder without a browser, which takes long to be copied and which bots that make their audio themselves do not need.</summary>
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
