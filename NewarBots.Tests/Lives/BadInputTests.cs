using System.Net;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>Invalid data in Redis, in the engine and on the disk.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class BadInputTests
{
    [Fact]
    public async Task Invalid_data_in_Redis_the_engine_and_on_the_disk_is_logged_once_and_affects_no_bot()
    {
        await using var host = await LightHost.StartAsync();
        var manager = host.Manager;
        await using var connection = await host.Redis.ConnectAsync();
        var redis = connection.GetDatabase();
        var channel = connection.GetSubscriber();
        var engine = new EngineEvents(manager.Stack);
        var id = await manager.RecordAsync(manager.Rehearsal("duration=15"), userId: "bad");
        await host.RecordedAsync(id, seconds: 2);

        // On the channel: garbage, another bot's message, and a status that is not the recorder's to give.
        var elses = $$"""{"sessionId":"{{SessionId.New(TimeProvider.System)}}","status":"failed","timestamp":1,"sequence":999999,"reason":"no_audio"}""";
        var forged = $$"""{"sessionId":"{{id}}","status":"completed","timestamp":1,"sequence":999999}""";
        foreach (var garbage in new[] { "{", "[]", "null", elses, forged, "\0\u0001", new string('x', 100_000) })
        {
            await channel.PublishAsync(RedisChannel.Literal($"{RedisNames.StatusChannelPrefix}{id}"), garbage);
            await channel.PublishAsync(RedisChannel.Literal($"{RedisNames.StatusChannelPrefix}../../etc"), garbage);
        }

        // Unreadable records, one of another type, and an index with an entry that is no session id.
        var unreadable = SessionId.New(TimeProvider.System);
        var hollow = SessionId.New(TimeProvider.System);
        var unversioned = SessionId.New(TimeProvider.System);
        await redis.HashSetAsync($"newarbots:bot:{unreadable}", [new("record", "{\"id\":"), new("version", 1)]);
        await redis.HashSetAsync($"newarbots:bot:{hollow}", [new("record", "null"), new("version", 1)]);
        await redis.HashSetAsync($"newarbots:bot:{unversioned}", [new("record", (await redis.HashGetAsync($"newarbots:bot:{id}", "record")).ToString().Replace(id, unversioned.ToString(), StringComparison.Ordinal))]);
        var mistyped = SessionId.New(TimeProvider.System);
        await redis.StringSetAsync($"newarbots:bot:{mistyped}", "no hash");
        foreach (var member in new[] { unreadable.ToString(), hollow.ToString(), unversioned.ToString(), mistyped.ToString(), "NO/../SESSION" })
        {
            await redis.SortedSetAddAsync("newarbots:bots:active", member, 0);
            await redis.SortedSetAddAsync("newarbots:bots", member, 0);
        }

        // A session folder that is a link, and a foreign file in the bot's own folder.
        var elsewhere = Directory.CreateTempSubdirectory("newarbots-elsewhere-");
        await File.WriteAllTextAsync(Path.Combine(elsewhere.FullName, ChunkFormat.FileName(0)), "precious");
        var link = host.FolderOf(SessionId.New(TimeProvider.System).ToString(), "bad");
        Directory.CreateSymbolicLink(link, elsewhere.FullName);
        await File.WriteAllTextAsync(Path.Combine(host.FolderOf(id, "bad"), "chunk_..%2f..%2f.ogg"), "climbs");

        // A container of this stack whose session label is no session id.
        var stranger = $"survive-stranger-{unreadable}";
        await DockerCli.RunAsync(
            "run", "--detach", "--name", stranger, "--label", $"newarbots.stack={manager.Stack}", "--label", "newarbots.session=NO SESSION",
            "debian:bookworm-slim", "sleep", "1");

        var second = await manager.RecordAsync(manager.Rehearsal("duration=3"), userId: "good");
        Assert.True((bool)(await manager.UntilAsync(second, TimeSpan.FromMinutes(3), "completed"))["recording"]!["complete"]!);
        var bot = await manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");
        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        Assert.Equal(15, (double)bot["recordedSeconds"]!, tolerance: 1);
        var report = TimeCodeReport.Of(await AudioFile.DecodeAsync(host.RecordingOf(id, "bad")), participants: 1);
        Assert.True(report.IsClean, report.ToString());
        Assert.Equal(HttpStatusCode.OK, (await manager.GetAsync("/bots")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await manager.GetAsync($"/bots/{unreadable}")).Status);
        Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(elsewhere.FullName, ChunkFormat.FileName(0))));
        Assert.Equal("exited", await DockerCli.RunAsync("inspect", "--format", "{{.State.Status}}", stranger));
        Assert.Equal([$"newar-bot-{id}", $"newar-bot-{second}"], (await engine.NamesAsync("create")).Where(name => name != stranger));
        foreach (var once in new[] { $"Ignored the record of bot {unreadable}", $"Ignored the record of bot {mistyped}", "it has this stack's label, but its session label" })
            Assert.Equal(1, manager.Output.Split(once).Length - 1);
        elsewhere.Delete(recursive: true);
    }
}
