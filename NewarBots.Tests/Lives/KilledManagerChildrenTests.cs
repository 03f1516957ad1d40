using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>Processes that assemble a recording end with their manager, however it ends.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class KilledManagerChildrenTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly string _folder = OtherUsers.MakeFolder();

    private string Script => Path.Combine(_folder, "ffmpeg");

    private string Started => Path.Combine(_folder, "started");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_manager_that_is_killed_while_it_assembles_a_recording_leaves_no_process_behind_and_the_next_one_completes_it()
    {
        await File.WriteAllTextAsync(Script, $"#!/bin/sh\necho $$ > {Started}\nsleep 1000\n");
        OtherUsers.Allow(Script);
        await using var host = await LightHost.StartAsync(("Finalizing__FFmpegPath", Script));
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=3"), userId: "killed");
        await Eventually.TrueAsync(() => File.Exists(Started) && new FileInfo(Started).Length > 0, Timeout);
        var children = Descendants(host.Manager.ProcessId).ToList();
        Assert.Contains(int.Parse((await File.ReadAllTextAsync(Started)).Trim()), children);

        host.Manager.Kill();

        await Eventually.TrueAsync(() => !children.Exists(Runs));
        await host.Manager.StartAsync(("Finalizing__FFmpegPath", "ffmpeg"));
        var bot = await host.Manager.UntilAsync(id, Timeout, "completed");
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        Assert.Empty(host.Folders());
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(host.RecordingOf(id, "killed"))!, "*.finalizing"));
    }

    /// <summary>A process that has ended may wait for its parent to notice.</summary>
    private static bool Runs(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].TrimStart()[0] is not 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static IEnumerable<int> Descendants(int process)
    {
        var children = Directory.EnumerateDirectories($"/proc/{process}/task")
            .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(int.Parse)
            .ToList();
        return children.Concat(children.SelectMany(Descendants));
    }
}
