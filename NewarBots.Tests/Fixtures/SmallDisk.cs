using CliWrap;

namespace NewarBots.Tests.Fixtures;

/// <summary>An in-memory disk, mounted in a folder. The folder stays. Only root can mount it; without root the test is skipped.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <param name="path">The folder, which is created if it is missing.</param>
    /// <param name="kilobytes">Size of the disk, in KiB.</param>
    /// <param name="mode">The permissions of its root, in octal.</param>
    public static async Task<SmallDisk> MountAsync(string path, int kilobytes = 1024, string mode = "755")
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can mount a disk.");
        Directory.CreateDirectory(path);
        await Cli.Wrap("mount").WithArguments(["-t", "tmpfs", "-o", $"size={kilobytes}k,mode={mode}", "tmpfs", path]).ExecuteAsync();
        return new(path);
    }

    /// <summary>A lazy unmount also succeeds while a process that is about to end still has a file open.</summary>
    public async ValueTask DisposeAsync() =>
        await Cli.Wrap("umount").WithArguments(["--lazy", Path]).ExecuteAsync();
}
