using System.Net;
using CliWrap;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>The storage folder is a small disk of its own.</summary>
public sealed class UnwritableStorageTests : IAsyncLifetime
{
    private const string NewBot = """{"meetingUrl": "https://meet.google.com/abc-defg-hij"}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-disk-");
    private SmallDisk? _disk;

    private string Disk => _folder.FullName;

    public async ValueTask InitializeAsync() => _disk = await SmallDisk.MountAsync(Disk);

    public async ValueTask DisposeAsync()
    {
        if (_disk is not null)
            await _disk.DisposeAsync();
        _folder.Delete();
    }

    [Theory]
    [InlineData("mount -o remount,ro .", "mount -o remount,rw .", "The storage is read-only.")]
    [InlineData("dd if=/dev/zero of=ballast bs=4096 2>/dev/null || true", "rm ballast", "The storage has no free space.")]
    public async Task New_bots_are_rejected_with_the_reason_and_health_is_degraded_until_the_storage_can_be_written(string breakIt, string repair, string reason)
    {
        await using var redis = await RedisServer.RunAsync();
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("Storage__Path", Disk), ("Storage__MinimumFreeMegabytes", "0"));
        await Eventually.TrueAsync(async () => await StorageAsync(manager) == ("healthy", null));

        await ShellAsync(breakIt);
        await Eventually.TrueAsync(async () => await StorageAsync(manager) == ("degraded", reason));

        var (status, problem) = await manager.PostAsync("/bots", NewBot);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, reason), (status, (string?)problem!["detail"]));
        Assert.Equal(HttpStatusCode.OK, (await manager.GetAsync("/bots")).Status);
        Assert.Equal("degraded", (string?)(await manager.GetAsync("/health")).Body!["status"]);

        await ShellAsync(repair);
        await Eventually.TrueAsync(async () => (await manager.PostAsync("/bots", NewBot)).Status is HttpStatusCode.Accepted);
        Assert.Equal(("healthy", null), await StorageAsync(manager));
    }

    private static async Task<(string? Status, string? Description)> StorageAsync(ManagerProcess manager)
    {
        var check = (await manager.GetAsync("/health")).Body!["checks"]!["storage"]!;
        return ((string?)check["status"], (string?)check["description"]);
    }

    private Task ShellAsync(string command) => Cli.Wrap("sh").WithArguments(["-c", command]).WithWorkingDirectory(Disk).ExecuteAsync();
}
