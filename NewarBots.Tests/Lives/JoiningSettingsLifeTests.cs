using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>The settings in section <c>Joining</c>, from the manager's start to a bot's end.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class JoiningSettingsLifeTests(RedisServer redis) : IClassFixture<RedisServer>, IDisposable
{
    private const string State = """{"cookies":[{"name":"a","value":"5e5e5e","domain":"meet.google.com"}],"origins":[]}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-settings-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_manager_with_an_invalid_selector_pack_refuses_to_start_and_reports_file_and_position()
    {
        var pack = Write("{\n  \"name\": \"x\",\n  \"version\": \"1\",\n  \"entries\": [{ \"id\": \"a\", \"sign\": \"no_such_sign\" }]\n}");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ManagerProcess.StartAsync(redis.Configuration, ("Joining__SelectorPack", pack)));

        Assert.Contains(
            $"Joining:SelectorPack: {pack}: The selector pack cannot be used: line 4, $.entries[0].sign: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_file_that_becomes_invalid_fails_the_next_bot_with_the_position_and_works_again_once_it_is_fixed()
    {
        var state = Write(State);
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Joining__StorageState", state));

        await File.WriteAllTextAsync(state, State.Replace("meet.google.com", "https://meet", StringComparison.Ordinal));
        var broken = await manager.UntilAsync(
            await manager.RecordAsync(manager.Rehearsal("scenario=not-found")), TimeSpan.FromSeconds(60), "failed");
        await File.WriteAllTextAsync(state, State);
        var repaired = await manager.UntilAsync(
            await manager.RecordAsync(manager.Rehearsal("scenario=not-found")), TimeSpan.FromSeconds(60), "failed");

        Assert.Equal("launch_failed", (string?)broken["reason"]);
        Assert.Contains("Joining:StorageState: ", (string?)broken["error"], StringComparison.Ordinal);
        Assert.Contains("line 1, $.cookies[0].domain: ", (string?)broken["error"], StringComparison.Ordinal);
        Assert.Equal("meeting_not_found", (string?)repaired["reason"]);
        Assert.DoesNotContain("5e5e5e", manager.Output, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(manager.Storage, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("5e5e5e", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task The_headless_shell_records_every_second_too()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Joining__Browser", "headless_shell"));
        var id = await manager.RecordAsync(manager.Rehearsal("participants=3&admitAfter=2&duration=25"));
        await manager.UntilAsync(id, TimeSpan.FromSeconds(60), "recording");
        var processes = await DockerCli.RunAsync("top", $"newar-bot-{id}", "-eo", "pid,args");
        var bot = await manager.UntilAsync(id, TimeSpan.FromSeconds(120), "completed");

        Assert.Contains("chromium-headless-shell", processes, StringComparison.Ordinal);
        Assert.DoesNotContain("Xvfb", processes, StringComparison.Ordinal);
        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(manager.Storage, bot);
        var path = Path.Combine(manager.Storage, $"{id}-downloaded.ogg");
        await File.WriteAllBytesAsync(path, await manager.Api.GetByteArrayAsync(new Uri($"/bots/{id}/recording", UriKind.Relative)));
        var report = (await LiveAudio.ReportAsync(path, participants: 3)).Besides(stalls);
        Assert.True(report.IsIntact, report.ToString());
        Assert.Empty(report.Lost(first: 6, last: 23));
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        File.WriteAllText(path, text);
        return path;
    }
}
