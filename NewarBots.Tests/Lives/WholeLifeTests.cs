using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>Bots without disturbances.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
[Collection(CallTests.OfOneHost)]
public sealed class WholeLifeTests(RecordingHost host)
{
    private ManagerProcess Manager => host.Manager;

    [Fact]
    public async Task One_request_records_a_meeting_of_three_speakers_with_no_second_missing_repeated_or_misplaced()
    {
        await using var redis = await host.Redis.ConnectAsync();
        var heard = new List<StatusMessage>();
        // A queue keeps the order of the messages, which concurrent handlers would lose.
        (await redis.GetSubscriber().SubscribeAsync(RedisChannel.Pattern("bot:status:*"))).OnMessage(message =>
        {
            lock (heard)
                heard.Add(JsonSerializer.Deserialize((string)message.Message!, ContractJson.Default.StatusMessage)!);
        });

        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=3&admitAfter=2&duration=38"));
        var chunksFolder = Path.Combine(Manager.Storage, "recordings", "temp", "user_anna", id);
        await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "recording");
        var container = Assert.Single(await DockerCli.ContainersOfAsync(Manager.Stack));
        Assert.Equal($"newar-bot-{id}", container);
        var firstChunk = await FinishedChunkAsync(chunksFolder);
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        // The bot's record.
        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(Manager.Storage, bot);
        var seconds = (double)bot["recording"]!["durationSeconds"]!;
        Assert.Equal((int)Math.Ceiling(seconds / 10), (int)bot["chunks"]!);

        // Containers, session folder and Redis user are gone.
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
        Assert.False(Directory.Exists(chunksFolder));
        Assert.DoesNotContain(
            (RedisResult[])(await redis.GetServers()[0].ExecuteAsync("ACL", "USERS"))!,
            user => ((string?)user)!.Contains(id, StringComparison.Ordinal));

        // The audio, second by second.
        var audio = await Manager.Api.GetByteArrayAsync(new Uri($"/bots/{id}/recording", UriKind.Relative));
        var path = Path.Combine(Manager.Storage, $"{id}-downloaded.ogg");
        await File.WriteAllBytesAsync(path, audio);
        var report = (await LiveAudio.ReportAsync(path, participants: 3)).Besides(stalls);
        Assert.True(report.IsIntact, report.ToString());
        // The bot notices some seconds later that it is admitted.
        Assert.Empty(report.Lost(first: 6, last: 36));
        // From the first second that is heard to the moment at which the bot notices the end.
        Assert.True(seconds >= 37 + report.Offset, $"{seconds} s\n{report}");

        // A chunk plays alone and is ten seconds long.
        Assert.Equal(480_000, (await AudioFile.DecodeAsync(firstChunk)).Length);

        await ManifestIsCorrectAsync(id, seconds, audio, stalls, report);
        await MessagesAreInOrderAsync(id, heard, redis);
        Assert.Contains("recording", await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs", UriKind.Relative)), StringComparison.OrdinalIgnoreCase);

        // A range of the file, and then its deletion.
        using var part = new HttpRequestMessage(HttpMethod.Get, $"/bots/{id}/recording");
        part.Headers.Range = new(0, 3);
        Assert.Equal("OggS"u8.ToArray(), await (await Manager.Api.SendAsync(part)).Content.ReadAsByteArrayAsync());
        (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative))).EnsureSuccessStatusCode();
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}")).Status);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Manager.Storage, "recordings", "final"), $"{id}*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("scenario=denied", "denied_by_host")]
    [InlineData("scenario=not-found", "meeting_not_found")]
    public async Task A_bot_that_cannot_join_fails_with_the_reason_and_its_files_can_be_deleted(string query, string reason)
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal(query), userId: "bert");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "failed");

        Assert.Equal(reason, (string?)bot["reason"]);
        Assert.DoesNotContain($"newar-bot-{id}", await DockerCli.ContainersOfAsync(Manager.Stack));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}/recording")).Status);

        using var evidence = new ZipArchive(await Manager.Api.GetStreamAsync(new Uri($"/bots/{id}/evidence", UriKind.Relative)));
        Assert.Superset(
            new HashSet<string>
            {
                "bot.json", "recorder.log", $"1_{reason}/looks.txt", $"1_{reason}/page.html", $"1_{reason}/screenshot.png",
                $"1_{reason}/summary.json", $"1_{reason}/webrtc.json",
            },
            evidence.Entries.Select(entry => entry.FullName).ToHashSet());
        (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative))).EnsureSuccessStatusCode();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Manager.Storage, "recordings", "final", "user_bert"), $"{id}*"));
    }

    [Fact]
    public async Task A_bot_that_is_stopped_leaves_and_keeps_its_recording()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=1&admitAfter=0&duration=600"), userId: "carla");
        await RecordedAsync(id, seconds: 5);
        await Manager.PostAsync($"/bots/{id}/stop");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        Assert.Equal("stop_requested", (string?)bot["reason"]);
        BusyMachine.AssertOnlyStallsAreMissing(Manager.Storage, bot);
        Assert.True((double)bot["recordedSeconds"]! >= 5);
    }

    [Fact]
    public async Task A_bot_leaves_when_everyone_else_has_left()
    {
        var id = await Manager.RecordAsync(
            Manager.Rehearsal("participants=2&admitAfter=0&duration=600&leave=0:4,1:6"), new { everyoneLeftTimeout = 3 }, userId: "dora");
        var bot = await Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");

        Assert.Equal("everyone_left", (string?)bot["reason"]);
    }

    private async Task RecordedAsync(string id, double seconds) => await Eventually.TrueAsync(
        async () => (double)(await Manager.GetAsync($"/bots/{id}")).Body!["recordedSeconds"]! >= seconds, TimeSpan.FromSeconds(90));

    /// <summary>Copies the first chunk once the second one has started.</summary>
    private static async Task<string> FinishedChunkAsync(string folder)
    {
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(folder, ChunkFormat.FileName(1))), TimeSpan.FromSeconds(60));
        var copy = Path.Combine(Path.GetTempPath(), $"{Path.GetFileName(folder)}-0.ogg");
        File.Copy(Path.Combine(folder, ChunkFormat.FileName(0)), copy, overwrite: true);
        return copy;
    }

    private async Task ManifestIsCorrectAsync(string id, double seconds, byte[] audio, IReadOnlyList<Gap> stalls, TimeCodeReport report)
    {
        var (_, manifest) = await Manager.GetAsync($"/bots/{id}/manifest");
        var chunks = manifest!["chunks"]!.AsArray();

        Assert.Equal(id, (string?)manifest["sessionId"]);
        Assert.Equal(audio.Length, (long)manifest["bytes"]!);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(audio)), (string?)manifest["sha256"]);
        Assert.Equal(stalls.Select(gap => (gap.StartSeconds, gap.EndSeconds)), manifest["gaps"]!.AsArray().Select(gap => ((double)gap!["startSeconds"]!, (double)gap["endSeconds"]!)));
        Assert.Equal(seconds, chunks.Sum(chunk => (double)chunk!["durationSeconds"]!), precision: 2);
        Assert.All(chunks.SkipLast(1), chunk => Assert.Equal(10, (double)chunk!["durationSeconds"]!, precision: 3));
        // The first and the last second are heard in part, and a live voice has short pauses.
        Assert.InRange((double)manifest["audibleSeconds"]!, (0.9 * report.SecondsHeard) - 2 - stalls.Sum(gap => gap.EndSeconds - gap.StartSeconds), seconds + 0.1);
        var starts = chunks.Select(chunk => (DateTimeOffset)chunk!["startedAt"]!).ToList();
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.Equal(10, (pair.Second - pair.First).TotalSeconds, precision: 1));
    }

    private static async Task MessagesAreInOrderAsync(string id, List<StatusMessage> heard, ConnectionMultiplexer redis)
    {
        await Eventually.TrueAsync(() =>
        {
            lock (heard)
                return heard.Exists(message => message.Status is BotStatus.Completed);
        });
        // A recorder repeats a message to wake the managers.
        var mine = heard.Where(message => message.SessionId == SessionId.Parse(id)).DistinctBy(message => message.Sequence).ToList();

        Assert.Equal(
            [
                BotStatus.Queued, BotStatus.Launching, BotStatus.Joining, BotStatus.Waiting, BotStatus.Recording, BotStatus.Leaving,
                BotStatus.Finalizing, BotStatus.Completed,
            ],
            mine.Select(message => message.Status).Distinct());
        Assert.Equal(mine.Select(message => message.Sequence).Order(), mine.Select(message => message.Sequence));
        var kept = await redis.GetDatabase().StreamRangeAsync(RedisNames.EventStream(SessionId.Parse(id)));
        Assert.Equal(
            mine.Select(message => message.Sequence),
            kept.Select(entry => (long)JsonNode.Parse((string)entry[RedisNames.MessageField]!)!["sequence"]!));
    }
}
