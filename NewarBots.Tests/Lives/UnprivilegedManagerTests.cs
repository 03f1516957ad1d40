using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>A manager that is not root. Its recorders run as the same user, so they can take away permissions that the manager needs.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class UnprivilegedManagerTests
{
    private const int User = 23456;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_recorder_that_takes_the_permissions_of_its_folder_or_its_journal_affects_only_its_own_bot_which_ends()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can start a manager as another user.");
        Assert.SkipWhen(WorkerProgram.IsClosedToOthers, "Other users cannot reach the manager's program.");
        await using var host = await LightHost.StartAsUserAsync(User);
        var hostile = new List<(string Id, string User)>();
        foreach (var user in (string[])["folder", "journal", "killed"])
            hostile.Add((await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: user), user));
        var honest = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "honest");
        foreach (var id in hostile.Select(bot => bot.Id).Append(honest))
            await host.RecordedAsync(id, seconds: 3);

        Close(host.FolderOf(hostile[0].Id, hostile[0].User));
        Close(Path.Combine(host.FolderOf(hostile[1].Id, hostile[1].User), Journal.FileName));
        Close(host.FolderOf(hostile[2].Id, hostile[2].User));
        await DockerCli.RunAsync("kill", $"newar-bot-{hostile[2].Id}");

        var recorded = await host.RecordedAsync(honest, seconds: 8);
        foreach (var id in hostile.Take(2).Select(bot => bot.Id).Append(honest))
            await host.Manager.PostAsync($"/bots/{id}/stop");
        var bot = await host.Manager.UntilAsync(honest, Timeout, "completed");
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(honest));
        Assert.True((double)bot["recordedSeconds"]! >= recorded, bot.ToJsonString());
        foreach (var (id, _) in hostile)
        {
            var ended = await host.Manager.UntilAsync(id, Timeout, "completed", "failed");
            Assert.True((double?)ended["recording"]?["durationSeconds"] >= 2, await host.AccountOfAsync(id));
        }

        Assert.Empty(host.Folders());
        Assert.Equal("healthy", (string?)(await host.Manager.GetAsync("/health")).Body!["checks"]!["retries"]!["status"]);
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
    }

    private static void Close(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.None);
    }
}
