using System.Net;
using System.Text.Json;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Two managers share a Redis and a storage folder.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class TwoManagersTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Two_managers_create_one_container_per_bot_without_errors()
    {
        await using var host = await LightHost.StartAsync();
        await using var other = await host.Manager.StartAnotherAsync();
        var engine = new EngineEvents(host.Manager.Stack);

        var same = JsonSerializer.Serialize(new { meetingUrl = "https://meet.google.com/abc-defg-hij?duration=6", userId = "twenty" });
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            (i % 2 == 0 ? host.Manager : other).PostAsync("/bots", same, i < 10 ? [("Idempotency-Key", "one")] : [])));
        var ids = new HashSet<string>(await Task.WhenAll(Enumerable.Range(0, 5).Select(i =>
            (i % 2 == 0 ? host.Manager : other).RecordAsync($"https://meet.google.com/abc-defg-hi{"klmno"[i]}?duration=5", userId: "two"))));

        var accepted = answers.Where(answer => answer.Status is HttpStatusCode.Accepted).Select(answer => (string)answer.Body!["id"]!).Distinct().ToList();
        var one = Assert.Single(accepted);
        Assert.All(
            answers.Where(answer => answer.Status is not HttpStatusCode.Accepted),
            answer => Assert.Equal((HttpStatusCode.Conflict, one), (answer.Status, (string?)answer.Body!["botId"])));
        foreach (var id in ids.Append(one))
        {
            var bot = await other.UntilAsync(id, Timeout, "completed");
            Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        }

        var names = ids.Append(one).Select(id => $"newar-bot-{id}").Order(StringComparer.Ordinal);
        Assert.Equal(names, (await engine.NamesAsync("create")).Order(StringComparer.Ordinal));
        Assert.Equal(names, (await engine.NamesAsync("start")).Order(StringComparer.Ordinal));
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
        foreach (var output in new[] { host.Manager.Output, other.Output })
            Assert.DoesNotContain("fail:", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Suite", "Long")]
    public async Task When_one_manager_dies_the_other_continues_its_bots_and_completes_its_stop_requests(bool isTheFirst)
    {
        // Redis listens on the loopback only, so bots use the relay of the manager that started first.
        await using var host = await LightHost.StartAsync(redisOnBridge: false);
        await using var other = await host.Manager.StartAnotherAsync();
        var (dies, lives) = isTheFirst ? (host.Manager, other) : (other, host.Manager);
        var engine = new EngineEvents(host.Manager.Stack);
        var continues = await dies.RecordAsync("https://meet.google.com/abc-defg-hij?duration=25", userId: "continues");
        var stops = await dies.RecordAsync("https://meet.google.com/abc-defg-hik", userId: "stops");
        await host.RecordedAsync(continues, seconds: 3, by: lives);
        await host.RecordedAsync(stops, seconds: 3, by: lives);

        var (status, _) = await dies.PostAsync($"/bots/{stops}/stop");
        dies.Kill();

        Assert.Equal(HttpStatusCode.Accepted, status);
        var stopped = await lives.UntilAsync(stops, Timeout, "completed");
        Assert.Equal("stop_requested", (string?)stopped["reason"]);
        // The recorder's messages arrive again before it exits.
        await host.RecordedAsync(continues, seconds: 20, by: lives);
        var ended = await lives.UntilAsync(continues, Timeout, "completed");
        Assert.True((bool)ended["recording"]!["complete"]!, ended.ToJsonString());
        Assert.Equal("meeting_ended", (string?)ended["reason"]);
        Assert.Equal(2, (await engine.NamesAsync("create")).Count);
        Assert.Empty(await DockerCli.ContainersOfAsync(host.Manager.Stack));
        Assert.False(Directory.Exists(host.FolderOf(continues, "continues")) || Directory.Exists(host.FolderOf(stops, "stops")));
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(continues, "continues")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_manager_that_is_terminated_keeps_its_bots_running_and_releases_its_leases()
    {
        var folder = OtherUsers.MakeFolder();
        var ffmpeg = Path.Combine(folder, "ffmpeg");
        await File.WriteAllTextAsync(ffmpeg, "#!/bin/sh\nexec sleep 1000\n");
        OtherUsers.Allow(ffmpeg);
        await using var host = await LightHost.StartAsync(("Finalizing__FFmpegPath", ffmpeg));
        await using var redis = await host.Redis.ConnectAsync();
        var lives = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=15"), userId: "deploy");
        var ends = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=1"), userId: "deploy-ends");
        await host.RecordedAsync(lives, seconds: 2);
        await Eventually.TrueAsync(() => Leases().Any(lease => lease.Contains(ends, StringComparison.Ordinal)));

        await host.Manager.TerminateAsync();

        Assert.Empty(Leases());
        Assert.Equal("running", await DockerCli.RunAsync("inspect", "--format", "{{.State.Status}}", $"newar-bot-{lives}"));
        await host.Manager.StartAsync(("Finalizing__FFmpegPath", "ffmpeg"));
        foreach (var id in new[] { ends, lives })
            Assert.True((bool)(await host.Manager.UntilAsync(id, Timeout, "completed"))["recording"]!["complete"]!, await host.AccountOfAsync(id));
        Directory.Delete(folder, recursive: true);

        List<string> Leases() => [.. redis.GetServers()[0].Keys(pattern: "newarbots:lease:*").Select(key => key.ToString())];
    }
}
