using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>Redis restarts, loses its data or drops messages while bots record.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class UnreachableRedisTests
{
    [Fact]
    public async Task While_Redis_is_down_the_manager_serves_cached_bots_rejects_changes_and_loses_no_audio()
    {
        await using var host = await LightHost.StartAsync();
        var engine = new EngineEvents(host.Manager.Stack);
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=20"), userId: "redis");
        await host.RecordedAsync(id, seconds: 2);

        host.Redis.Stop();
        await Eventually.TrueAsync(async () => await IsStaleAsync($"/bots/{id}"));
        var (_, known) = await host.Manager.GetAsync($"/bots/{id}");
        var (_, list) = await host.Manager.GetAsync("/bots?userId=redis");
        Assert.True(await IsStaleAsync("/bots"));
        Assert.Equal("recording", (string?)known!["status"]);
        Assert.Equal(id, (string?)Assert.Single(list!["items"]!.AsArray())!["id"]);
        await RefusedAsync(HttpMethod.Post, "/bots", JsonSerializer.Serialize(new { meetingUrl = host.Manager.Rehearsal("other=1") }));
        await RefusedAsync(HttpMethod.Post, $"/bots/{id}/stop");
        await RefusedAsync(HttpMethod.Delete, $"/bots/{id}");
        Assert.NotEqual("healthy", (string?)(await host.Manager.GetAsync("/health")).Body!["checks"]!["redis"]!["status"]);

        await host.Redis.StartAsync();
        var bot = await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");
        Assert.False(await IsStaleAsync($"/bots/{id}"));
        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
        await host.NothingIsLeftAsync(id, "redis", engine);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, "redis")), participants: 1);
        Assert.True(report.IsClean, report.ToString());

        async Task<bool> IsStaleAsync(string path)
        {
            using var response = await host.Manager.Api.GetAsync(new Uri(path, UriKind.Relative));
            return response.StatusCode is HttpStatusCode.OK && response.Headers.Warning.Any(warning => warning.Code == 110);
        }

        async Task RefusedAsync(HttpMethod method, string path, string? json = null)
        {
            using var request = new HttpRequestMessage(method, path);
            if (json is not null)
                request.Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
            using var response = await host.Manager.Api.SendAsync(request);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.NotNull(response.Headers.RetryAfter);
        }
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Bots_in_any_status_are_recorded_completely_and_once_when_Redis_is_emptied()
    {
        await using var host = await LightHost.StartAsync();
        var engine = new EngineEvents(host.Manager.Stack);
        await using var redis = await host.Redis.ConnectAsync();
        await using var emptying = await host.Redis.ConnectAsync();
        var emptied = new ConcurrentDictionary<BotStatus, Task>();
        await redis.GetSubscriber().SubscribeAsync(RedisChannel.Pattern($"{RedisNames.StatusChannelPrefix}*"), (channel, message) =>
        {
            // Empties Redis once per status, when the first bot reaches it.
            var status = JsonSerializer.Deserialize((string)message!, ContractJson.Default.StatusMessage)!.Status;
            if (!status.IsTerminal())
                _ = emptied.GetOrAdd(status, _ => emptying.GetServers()[0].FlushAllDatabasesAsync());
        });

        var bots = new List<(string Id, string User)>();
        foreach (var (user, seconds) in new[] { ("first", 5), ("second", 7), ("third", 9) })
            bots.Add((await host.Manager.RecordAsync(host.Manager.Rehearsal($"admitAfter=1&duration={seconds}"), userId: user), user));
        var later = JsonSerializer.Serialize(
            new { meetingUrl = host.Manager.Rehearsal("admitAfter=1&duration=5"), userId = "later", startAt = TimeProvider.System.GetUtcNow().AddSeconds(5) });
        bots.Add(((string)(await host.Manager.PostAsync("/bots", later)).Body!["id"]!, "later"));
        foreach (var (id, user) in bots)
        {
            var bot = await Eventually.NotNullAsync(
                async () => await host.Manager.GetAsync($"/bots/{id}") is (HttpStatusCode.OK, { } known) && known["endedAt"] is not null ? known : null, TimeSpan.FromSeconds(60));
            Assert.Equal(("completed", "meeting_ended"), ((string?)bot["status"], (string?)bot["reason"]));
            Assert.True((bool)bot["recording"]!["complete"]!, await host.AccountOfAsync(id));
            Assert.False(Directory.Exists(host.FolderOf(id, user)));
            var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, user)), participants: 1);
            Assert.True(report.IsClean, report.ToString());
        }

        Assert.Equal(Enum.GetValues<BotStatus>().Where(status => !status.IsTerminal()), emptied.Keys.Order());
        Assert.Equal(bots.Select(bot => $"newar-bot-{bot.Id}").Order(StringComparer.Ordinal), (await engine.NamesAsync("create")).Order(StringComparer.Ordinal));
        await Eventually.TrueAsync(async () => (await DockerCli.ContainersOfAsync(host.Manager.Stack)).Count == 0, TimeSpan.FromSeconds(90));
    }

    [Fact]
    public async Task A_lost_pubsub_message_is_read_from_the_journal_within_seconds()
    {
        await using var host = await LightHost.StartAsync();
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "unheard");
        await host.RecordedAsync(id, seconds: 3);
        await DockerCli.RunAsync("pause", $"newar-bot-{id}");
        var journal = Path.Combine(host.FolderOf(id, "unheard"), Journal.FileName);
        var last = (await File.ReadAllLinesAsync(journal)).Select(Journal.TryParse).Last(line => line?.Status is not null)!.Status!;

        await File.AppendAllTextAsync(journal, Journal.Format(new(Status: last with { Sequence = last.Sequence + 1, RecordedSeconds = 4321 })) + "\n");

        await host.RecordedAsync(id, seconds: 4321);
    }
}
