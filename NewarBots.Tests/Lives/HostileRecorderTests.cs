using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>A compromised recorder beside an honest one.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class HostileRecorderTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>A manager that waited for its finalizations took longer.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(20);

    private readonly string _scripts = OtherUsers.MakeFolder();

    public void Dispose() => Directory.Delete(_scripts, recursive: true);

    [Fact]
    public async Task A_chunk_that_claims_years_of_audio_holds_up_neither_an_honest_bot_nor_the_end_of_the_manager()
    {
        var (ffmpeg, begun, gate) = (Path.Combine(_scripts, "ffmpeg"), Path.Combine(_scripts, "begun"), Path.Combine(_scripts, "gate"));
        await File.WriteAllTextAsync(ffmpeg, $"""
            #!/bin/sh
            [ "$1" = -version ] || echo >> '{begun}'
            [ "$1" = -version ] || [ -e '{gate}' ] || exec sleep 1000
            exec ffmpeg "$@"
            """);
        await File.WriteAllTextAsync(begun, string.Empty);
        OtherUsers.Allow(ffmpeg);
        OtherUsers.Allow(begun);
        await using var host = await LightHost.StartAsync(("Finalizing__FFmpegPath", ffmpeg), ("Finalizing__MaxConcurrent", "2"));
        var hostile = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "hostile");
        var honest = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "honest");
        await host.RecordedAsync(hostile, seconds: 3);
        await host.RecordedAsync(honest, seconds: 3);
        await HostileChunk.WriteAsync(
            Path.Combine(host.FolderOf(hostile, "hostile"), ChunkFormat.FileName(100)), SessionId.Parse(hostile), first: 15_000, packets: 1_000_000_000_000);

        await DockerCli.RunAsync("kill", "--signal", "KILL", $"newar-bot-{hostile}", $"newar-bot-{honest}");
        await Eventually.TrueAsync(() => File.ReadLines(begun).Count() == 2, Timeout);
        await host.Manager.TerminateAsync().WaitAsync(ShutdownTimeout, TimeProvider.System);
        await File.WriteAllTextAsync(gate, string.Empty);
        await host.Manager.StartAsync();

        Assert.Equal("recorder_crashed", (string?)(await host.Manager.UntilAsync(honest, Timeout, "completed"))["reason"]);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(honest, "honest")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
        await host.Manager.UntilAsync(hostile, Timeout, "completed");
        var manifest = (await host.Manager.GetAsync($"/bots/{hostile}/manifest")).Body!;
        Assert.Equal(
            ChunkFormat.FileName(100),
            (string?)Assert.Single(manifest["chunks"]!.AsArray(), chunk => (string?)chunk!["problem"] == "damaged")!["file"]);
        // Five minutes to the position that the chunk claims, and its only second.
        Assert.Equal(301, (double)manifest["durationSeconds"]!);
        Assert.Equal("healthy", (string?)(await host.Manager.GetAsync("/health")).Body!["checks"]!["retries"]!["status"]);
        Assert.Empty(host.Folders());
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
    }
}
