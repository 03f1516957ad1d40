using CliWrap;
using CliWrap.Buffered;

namespace NewarBots.Tests.Lives;

/// <summary><c>Storage__Group</c> lets the members of a group read finished recordings.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class StorageGroupTests
{
    private const string Group = "34567";
    private const string Member = "34568";

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Members_of_the_group_can_read_finished_recordings_and_nobody_else_can()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give files to a group that it is no member of.");
        await using var host = await LightHost.StartAsync(("Storage__Group", Group));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(host.Manager.Storage, (UnixFileMode)0b111_001_001);
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=3"), userId: "shared");
        await host.Manager.UntilAsync(id, Timeout, "completed");
        using (var converted = await host.Manager.Api.GetAsync(new Uri($"/bots/{id}/recording?format=mp3", UriKind.Relative)))
            converted.EnsureSuccessStatusCode();

        var recording = host.RecordingOf(id, "shared");
        var folder = Path.GetDirectoryName(recording)!;
        Assert.Equal($"2750 {Group}", await StatAsync(folder));
        foreach (var extension in (string[])["ogg", "json", "log", "mp3"])
            Assert.Equal($"{extension} 640 {Group}", $"{extension} {await StatAsync(Path.ChangeExtension(recording, extension))}");

        Assert.Equal(0, await ReadAsync(recording, Group));
        Assert.NotEqual(0, await ReadAsync(recording, Member));
        Assert.NotEqual(0, await ReadAsync(Path.Combine(host.Manager.Storage, "recordings", "temp"), Group));
        Assert.NotEqual(0, await ReadAsync(Path.Combine(host.Manager.Storage, ".recorder-access-key"), Group));
    }

    /// <returns>Mode and group.</returns>
    private static async Task<string> StatAsync(string path) =>
        (await Cli.Wrap("stat").WithArguments(["--format", "%a %g", path]).ExecuteBufferedAsync()).StandardOutput.Trim();

    /// <summary>Reads the file, or lists the folder, as a user who is in this group.</summary>
    private static async Task<int> ReadAsync(string path, string group) =>
        (await Cli.Wrap("setpriv")
            .WithArguments([$"--reuid={Member}", $"--regid={Member}", $"--groups={group}", "sh", "-c", """if [ -d "$1" ]; then ls "$1"; else cat "$1" >/dev/null; fi""", "sh", path])
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync()).ExitCode;
}
