using System.Net;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>The storage folder is a small disk of its own.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-disk-");
    private SmallDisk? _disk;

    private string Disk => _folder.FullName;

    private string Ballast => Path.Combine(Disk, "ballast");

    public async ValueTask InitializeAsync() => _disk = await SmallDisk.MountAsync(Disk);

    public async ValueTask DisposeAsync()
    {
        if (_disk is not null)
            await _disk.DisposeAsync();
        _folder.Delete();
    }

    [Fact]
    public async Task A_recorder_leaves_with_that_reason_when_the_disk_is_full_and_is_finalized_when_there_is_space()
    {
        await using var host = await LightHost.StartAsync(("Storage__Path", Disk), ("Storage__MinimumFreeMegabytes", "0"));
        var engine = new EngineEvents(host.Manager.Stack);
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "full");
        await host.RecordedAsync(id, seconds: 5);
        Fill();
        var full = await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "finalizing");
        Assert.Equal("storage_failed", (string?)full["reason"]);
        await Eventually.TrueAsync(async () => (string?)(await host.Manager.GetAsync("/health")).Body!["checks"]!["storage"]!["status"] == "degraded");
        var (rejected, problem) = await host.Manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/abc-defg-hij"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "The storage has no free space."), (rejected, (string?)problem!["detail"]));

        File.Delete(Ballast);
        var bot = await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");
        Assert.Equal("storage_failed", (string?)bot["reason"]);
        Assert.False((bool)bot["recording"]!["complete"]!);
        Assert.True((double)bot["recordedSeconds"]! >= 5, bot.ToJsonString());
        var recording = Path.Combine(Disk, "recordings", "final", "user_full", $"{id}.ogg");
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(recording), participants: 1);
        Assert.True(report.IsClean, report.ToString());
        Assert.Equal([$"newar-bot-{id}"], await engine.NamesAsync("create"));
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Disk, "recordings", "temp", "user_full")));
        // Whether the recorder's evidence still fits on the disk is chance.
        Assert.Equal(
            [$"{id}.json", $"{id}.log", $"{id}.ogg"],
            Directory.GetFileSystemEntries(Path.GetDirectoryName(recording)!).Select(Path.GetFileName).Where(name => name != $"{id}.evidence").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_recorder_that_fills_the_disk_with_other_files_loses_those_and_costs_no_recording()
    {
        await using var host = await LightHost.StartAsync(("Storage__Path", Disk), ("Storage__MinimumFreeMegabytes", "0"));
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "full");
        var other = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "other");
        await host.RecordedAsync(id, seconds: 5);
        await host.RecordedAsync(other, seconds: 5);
        Fill(Path.Combine(host.FolderOf(id, "full"), "junk"));

        foreach (var ended in new[] { id, other })
        {
            var bot = await host.Manager.UntilAsync(ended, TimeSpan.FromMinutes(3), "completed");
            Assert.Equal("storage_failed", (string?)bot["reason"]);
            Assert.True((double)bot["recordedSeconds"]! >= 5, bot.ToJsonString());
        }

        Assert.Empty(host.Folders());
        await Eventually.TrueAsync(async () => (string?)(await host.Manager.GetAsync("/health")).Body!["checks"]!["storage"]!["status"] == "healthy");
    }

    [Fact]
    public async Task A_bot_that_cannot_end_on_a_full_disk_can_be_deleted()
    {
        await using var host = await LightHost.StartAsync(("Storage__Path", Disk), ("Storage__MinimumFreeMegabytes", "0"));
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "full");
        await host.RecordedAsync(id, seconds: 5);
        Fill();
        await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "finalizing");
        await Eventually.TrueAsync(async () =>
            (string?)(await host.Manager.GetAsync("/health")).Body!["checks"]!["retries"]!["description"] is { } retries
            && retries.Contains($"Bot {id}", StringComparison.Ordinal) && retries.Contains("The storage has no free space.", StringComparison.Ordinal));

        await Eventually.TrueAsync(async () =>
            (await host.Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative))).StatusCode is HttpStatusCode.NoContent);

        Assert.Equal(HttpStatusCode.NotFound, (await host.Manager.GetAsync($"/bots/{id}")).Status);
        Assert.Empty(host.Folders());
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
    }

    private void Fill() => Fill(Ballast);

    private static void Fill(string path)
    {
        using var ballast = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                ballast.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
