using System.Net;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>Retention of recordings, and removal of orphaned folders.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class RetentionTests
{
    [Fact]
    public async Task Recordings_are_deleted_after_their_retention_and_orphaned_folders_a_day_after_they_are_reported()
    {
        await using var host = await LightHost.StartAsync();
        var manager = host.Manager;
        var id = await manager.RecordAsync(manager.Rehearsal("duration=2"), userId: "kept");
        var linked = await manager.RecordAsync(manager.Rehearsal("duration=2"), userId: "linked");
        foreach (var bot in new[] { id, linked })
            await manager.UntilAsync(bot, TimeSpan.FromMinutes(3), "completed");
        var final = Path.GetDirectoryName(host.RecordingOf(id, "kept"))!;
        OnlyTheManagersGroupCanRead(Path.GetDirectoryName(final)!);
        var unknown = Path.Combine(final, $"{SessionId.New(TimeProvider.System)}.ogg");
        var foreign = Path.Combine(final, "Notes of my own.txt");
        foreach (var path in new[] { unknown, foreign })
        {
            await File.WriteAllTextAsync(path, "old");
            File.SetLastWriteTimeUtc(path, LongAgo);
        }

        var old = host.FolderOf(SessionId.New(TimeProvider.System).ToString(), "kept");
        var young = host.FolderOf(SessionId.New(TimeProvider.System).ToString(), "kept");
        var strange = Path.Combine(manager.Storage, "recordings", "temp", "lost+found");
        foreach (var folder in new[] { old, young, strange })
            Directory.CreateDirectory(folder);
        Directory.SetLastWriteTimeUtc(old, LongAgo);
        Directory.SetLastWriteTimeUtc(strange, LongAgo);

        // A recording with a folder that cannot be removed. Retention handles it first.
        Directory.CreateSymbolicLink(host.FolderOf(linked, "linked"), Path.GetTempPath());
        manager.Kill();
        await manager.StartAsync(("Removing__KeepFor", "00:00:02"));
        await Eventually.TrueAsync(async () => (await manager.GetAsync($"/bots/{id}")).Status is HttpStatusCode.NotFound);
        await Eventually.TrueAsync(() => !File.Exists(unknown) && !Directory.Exists(old));
        Assert.Equal([foreign], Directory.GetFileSystemEntries(final));
        var health = (await manager.GetAsync("/health")).Body!["checks"]!["orphaned-folders"]!;
        Assert.Equal("healthy", (string?)health["status"]);
        await Eventually.TrueAsync(async () =>
            (string?)(await manager.GetAsync("/health")).Body!["checks"]!["orphaned-folders"]!["description"] is { } description
            && description.Contains(young, StringComparison.Ordinal) && description.Contains(strange, StringComparison.Ordinal)
            && !description.Contains(old, StringComparison.Ordinal));
        Assert.True(Directory.Exists(young));
        Assert.True(Directory.Exists(strange));
        Assert.Contains($"Deleted bot {id} of user kept", manager.Output, StringComparison.Ordinal);
        Assert.Contains($"Removing the expired files of bot {linked} failed", manager.Output, StringComparison.Ordinal);
        Directory.Delete(host.FolderOf(linked, "linked"));
        await Eventually.TrueAsync(async () => (await manager.GetAsync($"/bots/{linked}")).Status is HttpStatusCode.NotFound);
    }

    private static void OnlyTheManagersGroupCanRead(string root)
    {
        const UnixFileMode forbidden = UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        var entries = new DirectoryInfo(root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).ToList();
        Assert.NotEmpty(entries.OfType<FileInfo>());
        Assert.All(entries.Prepend(new DirectoryInfo(root)), entry => Assert.Equal(UnixFileMode.None, entry.UnixFileMode & forbidden));
    }

    private static DateTime LongAgo => TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2);
}
