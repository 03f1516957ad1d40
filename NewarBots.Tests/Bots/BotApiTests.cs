using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

/// <summary>A manager on a real Redis without a container engine: bots are accepted and stay queued.</summary>
public sealed class QueueingManager : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal ManagerProcess Manager { get; private set; } = null!;

    /// <summary>Further settings of the manager.</summary>
    internal (string Name, string Value)[] Settings { get; init; } = [];

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.RunAsync();
        // 160 MB, in hexadecimal: a manager that reads the files of recorders, or its clients' requests, as a whole runs out of memory.
        Manager = await ManagerProcess.StartAsync(
            Redis.Configuration, [("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("DOTNET_GCHeapHardLimit", "A000000"), .. Settings]);
    }

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

public sealed class BotApiTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private static int _meetings;

    private ManagerProcess Manager => queueing.Manager;

    /// <summary>A meeting that no other test uses.</summary>
    private static string Meeting()
    {
        var number = Interlocked.Increment(ref _meetings);
        return $"https://meet.google.com/abc-defg-{(char)('a' + number / 26 / 26)}{(char)('a' + number / 26 % 26)}{(char)('a' + number % 26)}";
    }

    [Fact]
    public async Task Bot_can_be_created_read_listed_and_stopped()
    {
        using var response = await Manager.Api.PostAsync(
            new Uri("/bots", UriKind.Relative),
            new StringContent(
                $$"""{"meetingUrl": "{{Meeting()}}", "userId": "carla", "metadata": {"case": "42"} }""", encoding: null, "application/json"));
        var bot = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        var id = bot.GetProperty("id").GetString()!;

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal($"/bots/{id}", response.Headers.Location?.ToString());
        Assert.Equal("queued", bot.GetProperty("status").GetString());
        Assert.Equal($"newar-bot-{id}", bot.GetProperty("containerName").GetString());
        Assert.Equal("42", bot.GetProperty("metadata").GetProperty("case").GetString());

        var (_, shown) = await Manager.GetAsync($"/bots/{id}");
        Assert.Equal(bot.GetProperty("createdAt").GetString(), (string?)shown!["createdAt"]);
        var (_, list) = await Manager.GetAsync("/bots?userId=carla&status=queued");
        Assert.Equal(id, (string?)Assert.Single(list!["items"]!.AsArray())!["id"]);

        Assert.Equal(HttpStatusCode.Conflict, (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.GetAsync($"/bots/{id}/recording")).Status);
        var (stopStatus, stopped) = await Manager.PostAsync($"/bots/{id}/stop");
        Assert.Equal((HttpStatusCode.Accepted, "cancelled", "stop_requested"), (stopStatus, (string?)stopped!["status"], (string?)stopped["reason"]));
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.PostAsync($"/bots/{id}/stop")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}/recording")).Status);
    }

    [Fact]
    public async Task Second_bot_in_the_same_meeting_is_rejected_with_the_id_of_the_first()
    {
        var meeting = Meeting();
        var first = await Manager.RecordAsync(meeting);

        var (status, problem) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = meeting + "?authuser=2", userId = "anna" }));

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Equal(first, (string?)problem!["botId"]);
        Assert.Equal("urn:newarbots:problem:meeting-taken", (string?)problem["type"]);
    }

    [Fact]
    public async Task Idempotency_key_returns_the_same_bot_and_rejects_another_body()
    {
        var body = JsonSerializer.Serialize(new { meetingUrl = Meeting() });
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Manager.PostAsync("/bots", body, ("Idempotency-Key", "key-1"))));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Accepted, answer.Status));
        Assert.Single(answers.Select(answer => (string?)answer.Body!["id"]).Distinct());
        var (status, _) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = Meeting() }), ("Idempotency-Key", "key-1"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
    }

    [Fact]
    public async Task Invalid_request_gets_a_problem_that_names_every_invalid_field()
    {
        var (status, problem) = await Manager.PostAsync("/bots", """{"meetingUrl": "file:///etc/passwd", "botName": "", "color": 1}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("urn:newarbots:problem:invalid-request", (string?)problem!["type"]);
        Assert.Equal(["botName", "color", "meetingUrl"], problem["errors"]!.AsObject().Select(error => error.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("{\"meetingUrl\": ")]
    [InlineData("")]
    [InlineData("\u0000\u0001")]
    public async Task Malformed_JSON_is_a_bad_request(string body) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await Manager.PostAsync("/bots", body)).Status);

    [Fact]
    public async Task Body_over_64_KB_is_a_bad_request_with_or_without_a_Content_Length()
    {
        var body = $$"""{"meetingUrl": "{{Meeting()}}", "metadata": {"a": "{{new string('x', 64 * 1024)}}"} }""";
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/bots") { Content = new StringContent(body, encoding: null, "application/json") };
        chunked.Headers.TransferEncodingChunked = true;

        Assert.Equal(HttpStatusCode.BadRequest, (await Manager.PostAsync("/bots", body)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Manager.Api.SendAsync(chunked)).StatusCode);
    }

    [Theory]
    [InlineData("/bots/0123456789abcdef")]
    [InlineData("/bots/..%2f..%2fetc%2fpasswd")]
    [InlineData("/bots/a/b")]
    [InlineData("/bots/ABC")]
    [InlineData("/bots/..%2f..%2fetc/recording")]
    [InlineData("/bots/0123456789abcdef/recording")]
    [InlineData("/bots/0123456789abcdef/manifest")]
    [InlineData("/bots/0123456789abcdef/logs")]
    public async Task Path_without_a_valid_bot_id_is_not_found(string path)
    {
        var (status, problem) = await Manager.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.NotNull(problem);
    }

    [Theory]
    [InlineData("status=sleeping")]
    [InlineData("limit=0")]
    [InlineData("limit=many")]
    [InlineData("userId=A")]
    [InlineData("cursor=../x")]
    [InlineData("cursor=0199aaaabbbbccccddddeeeeffff0001.0.x.")]
    [InlineData("sort=size")]
    [InlineData("from=2026-03-01T09:00:00")]
    [InlineData("to=tomorrow")]
    [InlineData("meetingUrl=abc-defg-hij")]
    [InlineData("limit=1&limit=2")]
    [InlineData("metadata.=1")]
    [InlineData("Status=queued")]
    [InlineData("colour=red")]
    public async Task List_with_an_invalid_parameter_is_a_bad_request_that_names_it(string query)
    {
        var (status, problem) = await Manager.GetAsync($"/bots?{query}");

        Assert.Equal((HttpStatusCode.BadRequest, query[..query.IndexOf('=', StringComparison.Ordinal)]), (status, Assert.Single(problem!["errors"]!.AsObject()).Key));
    }

    [Theory]
    [InlineData("/bots/0199aaaabbbbccccddddeeeeffff0001?id=1", "id")]
    [InlineData("/bots/0199aaaabbbbccccddddeeeeffff0001/recording?fromat=mp3", "fromat")]
    [InlineData("/bots/events?user=anna", "user")]
    [InlineData("/webhooks?x=", "x")]
    [InlineData("/keys?x=", "x")]
    [InlineData("/session?x=", "x")]
    public async Task Query_parameter_that_a_call_does_not_have_is_a_bad_request(string path, string parameter)
    {
        var (status, problem) = await Manager.GetAsync(path);

        Assert.Equal((HttpStatusCode.BadRequest, parameter), (status, Assert.Single(problem!["errors"]!.AsObject()).Key));
    }

    [Fact]
    public async Task Bots_are_searched_filtered_counted_and_paged()
    {
        var meeting = Meeting();
        var ids = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            var (_, bot) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(new
            {
                meetingUrl = number == 0 ? meeting : Meeting(),
                botName = $"Stand-up {number}",
                userId = "lena",
                metadata = new { team = number < 3 ? "Blue" : "red", number = $"{number}" },
            }));
            ids.Add((string)bot!["id"]!);
        }

        await Manager.PostAsync($"/bots/{ids[4]}/stop");

        Assert.Equal([ids[2], ids[1], ids[0]], await FindAsync("q=bLUE"));
        Assert.Equal([ids[1]], await FindAsync("metadata.team=Blue&metadata.number=1"));
        Assert.Empty(await FindAsync("metadata.team=blue"));
        Assert.Equal([ids[0]], await FindAsync($"meetingUrl={meeting.Replace("abc-", "abc", StringComparison.Ordinal)}?authuser=1"));
        Assert.Equal([ids[4]], await FindAsync("q=stop%20requested"));
        Assert.Equal([ids[3]], await FindAsync($"q={ids[3]}"));
        Assert.Equal([ids[4], ids[0]], [.. (await FindAsync("status=cancelled&status=queued&sort=newest")).Where((_, index) => index is 0 or 4)]);
        Assert.Equal([ids[3], ids[2], ids[1], ids[0], ids[4]], await FindAsync("sort=activity"));
        Assert.Equal(5, (await FindAsync($"from={Uri.EscapeDataString($"{TimeProvider.System.GetUtcNow().AddMinutes(-5):O}")}")).Count);
        Assert.Empty(await FindAsync($"to={Uri.EscapeDataString($"{TimeProvider.System.GetUtcNow().AddMinutes(-5):O}")}"));

        var (_, first) = await Manager.GetAsync("/bots?userId=lena&sort=name&limit=2&status=queued");
        var (_, second) = await Manager.GetAsync($"/bots?userId=lena&sort=name&limit=2&status=queued&cursor={first!["nextCursor"]}");
        Assert.Equal([ids[0], ids[1], ids[2], ids[3]], [.. IdsOf(first), .. IdsOf(second!)]);
        Assert.Equal((4, 1, 4, 3), ((int)first["total"]!, (int)first["position"]!, (int)second!["total"]!, (int)second["position"]!));
        Assert.Null(second["nextCursor"]);
        Assert.Equal((4, 1, 0), ((int)second["counts"]!["queued"]!, (int)second["counts"]!["cancelled"]!, (int)second["counts"]!["failed"]!));

        async Task<IReadOnlyList<string>> FindAsync(string query) => IdsOf((await Manager.GetAsync($"/bots?userId=lena&{query}")).Body!);
        static IReadOnlyList<string> IdsOf(JsonNode page) => [.. page["items"]!.AsArray().Select(bot => (string)bot!["id"]!)];
    }

    [Fact]
    public async Task Pages_contain_every_bot_once_newest_first()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Add(await Manager.RecordAsync(Meeting(), userId: "dora"));
        ids.Reverse();

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var (_, page) = await Manager.GetAsync($"/bots?userId=dora&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            seen.AddRange(page!["items"]!.AsArray().Select(bot => (string)bot!["id"]!));
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);

        Assert.Equal(ids, seen);
    }

    [Fact]
    public async Task Bots_wait_in_the_queue_without_a_container_engine_and_health_says_why()
    {
        var id = await Manager.RecordAsync(Meeting());
        var (status, health) = await Manager.GetAsync("/health");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("degraded", (string?)health!["status"]);
        Assert.Contains("/nowhere/docker.sock", (string?)health["checks"]!["docker"]!["description"], StringComparison.Ordinal);
        Assert.Equal("queued", (string?)(await Manager.GetAsync($"/bots/{id}")).Body!["status"]);
        var (logStatus, problem) = await Manager.GetAsync($"/bots/{id}/logs");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:newarbots:problem:engine-unavailable"), (logStatus, (string?)problem!["type"]));
    }

    [Fact]
    public async Task OpenAPI_document_is_served_and_lists_the_endpoints()
    {
        var (status, openApi) = await Manager.GetAsync("/openapi/v1.json");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("/bots", openApi!["paths"]!.AsObject().Select(path => path.Key));
    }

    [Fact]
    public async Task Partial_recording_has_its_own_address_and_supports_ranges()
    {
        var id = await Manager.RecordAsync(Meeting(), userId: "ada");
        var folder = new StorageLayout(Manager.Storage).SessionFolder(UserId.Parse("ada"), SessionId.Parse(id));
        Directory.CreateDirectory(folder);
        using (var session = new RecordedSession())
        {
            session.Bot = session.Bot with { Id = SessionId.Parse(id) };
            session.Write(await OpusPackets.OfToneAsync(1200));
            foreach (var chunk in Directory.GetFiles(session.Folder))
                File.Copy(chunk, Path.Combine(folder, Path.GetFileName(chunk)));
        }

        using var whole = await Manager.Api.GetAsync(new Uri($"/bots/{id}/recording?partial=true", UriKind.Relative));
        Assert.Equal((HttpStatusCode.OK, $"/bots/{id}/recording?chunks=2"), (whole.StatusCode, whole.RequestMessage!.RequestUri!.PathAndQuery));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/bots/{id}/recording?chunks=2") { Headers = { Range = new(100, 199) } };
        using var part = await Manager.Api.SendAsync(request);

        Assert.Equal((HttpStatusCode.PartialContent, whole.Headers.ETag), (part.StatusCode, part.Headers.ETag));
        Assert.Equal((await whole.Content.ReadAsByteArrayAsync())[100..200], await part.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.GetAsync($"/bots/{id}/recording")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.GetAsync($"/bots/{id}/recording?chunks=3")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.GetAsync($"/bots/{id}/recording?partial=true&format=mp3")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.GetAsync($"/bots/{id}/recording?chunks=2&track=1")).Status);
    }

    [Fact]
    public async Task Recording_supports_GET_ranges_and_HEAD_in_every_format()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Formats");
        foreach (var format in AudioFormat.All)
        {
            var address = new Uri($"/bots/{id}/recording?format={format.Name}", UriKind.Relative);
            using var whole = await Manager.Api.GetAsync(address);
            var bytes = await whole.Content.ReadAsByteArrayAsync();
            using var rangeRequest = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Range = new(100, 199) } };
            using var part = await Manager.Api.SendAsync(rangeRequest);
            using var headRequest = new HttpRequestMessage(HttpMethod.Head, address);
            using var head = await Manager.Api.SendAsync(headRequest);

            Assert.Equal((HttpStatusCode.OK, format.ContentType), (whole.StatusCode, whole.Content.Headers.ContentType?.MediaType));
            Assert.Equal((HttpStatusCode.PartialContent, format.ContentType), (part.StatusCode, part.Content.Headers.ContentType?.MediaType));
            Assert.Equal(bytes[100..200], await part.Content.ReadAsByteArrayAsync());
            Assert.Equal((HttpStatusCode.OK, format.ContentType), (head.StatusCode, head.Content.Headers.ContentType?.MediaType));
            Assert.Equal((bytes.Length, "bytes"), (head.Content.Headers.ContentLength, string.Join(' ', head.Headers.AcceptRanges)));
        }

        using var redirected = await Manager.Api.GetAsync(new Uri($"/bots/{id}/recording?chunks=2&format=flac", UriKind.Relative));
        Assert.Equal((HttpStatusCode.OK, $"/bots/{id}/recording?format=flac"), (redirected.StatusCode, redirected.RequestMessage!.RequestUri!.PathAndQuery));
        Assert.Equal(HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}/recording?chunks=2&track=7")).Status);
    }

    [Fact]
    public async Task Log_followed_from_the_queue_on_is_sent_once_it_exists()
    {
        var id = await Manager.RecordAsync(Meeting(), userId: "ada");
        using var followed = await FollowAsync(id);
        var log = new StorageLayout(Manager.Storage).Log(UserId.Parse("ada"), SessionId.Parse(id));
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        await File.WriteAllTextAsync(log, "Joining\nRecording\n");

        await Manager.PostAsync($"/bots/{id}/stop");

        Assert.Equal("Joining\nRecording\n", await followed.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Log_of_an_unavailable_container_engine_is_reported_as_unavailable()
    {
        var id = await Manager.RecordAsync(Meeting());
        using var followed = await FollowAsync(id);
        await Manager.PostAsync($"/bots/{id}/stop");

        Assert.Contains("The log ends here.", await followed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        foreach (var path in (string[])[$"/bots/{id}/logs", $"/bots/{id}/logs?follow=true"])
        {
            var (status, problem) = await Manager.GetAsync(path);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:newarbots:problem:engine-unavailable"), (status, (string?)problem?["type"]));
        }
    }

    private async Task<HttpResponseMessage> FollowAsync(string id)
    {
        var followed = await Manager.Api.GetAsync(new Uri($"/bots/{id}/logs?follow=true", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, "text/plain"), (followed.StatusCode, followed.Content.Headers.ContentType?.MediaType));
        return followed;
    }
}

/// <summary>A manager whose FFmpeg is slow and is then deleted.</summary>
public sealed class SlowConversionTests
{
    [Fact]
    public async Task Slow_conversion_asks_to_retry_and_failed_conversion_is_reported()
    {
        await using var queueing = new QueueingManager();
        await queueing.InitializeAsync();
        var manager = queueing.Manager;
        var recorded = await PlacedBots.RecordedAsync(queueing, "Slow");
        var recording = await manager.RecordAsync("https://meet.google.com/abc-defg-hij", userId: "ada");
        await WriteChunksAsync(manager, recording, user: "ada");
        var scripts = OtherUsers.MakeFolder();
        var (ffmpeg, gate) = (Path.Combine(scripts, "ffmpeg"), Path.Combine(scripts, "gate"));
        await File.WriteAllTextAsync(ffmpeg, $"#!/bin/sh\nwhile [ ! -e '{gate}' ]; do sleep 0.05; done; exec ffmpeg \"$@\"\n");
        OtherUsers.Allow(ffmpeg);
        manager.Kill();
        await manager.StartAsync(("Finalizing__FFmpegPath", ffmpeg), ("Finalizing__ConversionTimeout", "00:00:00.2"));

        using (var waiting = await manager.Api.GetAsync(new Uri($"/bots/{recorded}/recording?format=mp3", UriKind.Relative)))
            Assert.Equal((HttpStatusCode.ServiceUnavailable, 10), (waiting.StatusCode, waiting.Headers.RetryAfter?.Delta?.TotalSeconds));
        Assert.Equal("urn:newarbots:problem:recording-being-converted", (string?)(await manager.GetAsync($"/bots/{recorded}/recording?format=mp3")).Body!["type"]);
        await File.WriteAllTextAsync(gate, "");
        await Eventually.TrueAsync(async () => (await manager.GetAsync($"/bots/{recorded}/recording?format=mp3")).Status is HttpStatusCode.OK);

        File.Delete(ffmpeg);
        foreach (var path in (string[])[$"/bots/{recorded}/recording?format=flac", $"/bots/{recording}/recording?partial=true"])
        {
            var (status, type) = (default(HttpStatusCode), default(string));
            await Eventually.TrueAsync(async () =>
            {
                (status, var problem) = await manager.GetAsync(path);
                type = (string?)problem?["type"];
                return type is not "urn:newarbots:problem:recording-being-converted";
            });
            Assert.Equal((HttpStatusCode.InternalServerError, "urn:newarbots:problem:recording-not-converted"), (status, type));
        }
    }

    private static async Task WriteChunksAsync(ManagerProcess manager, string id, string user)
    {
        var folder = new StorageLayout(manager.Storage).SessionFolder(UserId.Parse(user), SessionId.Parse(id));
        Directory.CreateDirectory(folder);
        using var session = new RecordedSession();
        session.Bot = session.Bot with { Id = SessionId.Parse(id) };
        session.Write(await OpusPackets.OfToneAsync(1200));
        foreach (var chunk in Directory.GetFiles(session.Folder))
            File.Copy(chunk, Path.Combine(folder, Path.GetFileName(chunk)));
    }
}

/// <summary>Another try for a bot whose recording could not be assembled. The manager's Docker engine is unreachable.</summary>
public sealed class FinalizeApiTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public async Task Only_a_bot_whose_finalization_failed_and_whose_chunks_exist_can_be_finalized_again()
    {
        var bot = await PlacedBots.UnfinalizedAsync(queueing);

        var (status, requested) = await Manager.PostAsync($"/bots/{bot.Id}/finalize");
        Assert.Equal((HttpStatusCode.Accepted, "finalizing", "meeting_ended"), (status, (string?)requested!["status"], (string?)requested["reason"]));
        Assert.Null(requested["endedAt"]);

        // It is tried, and waits for the engine. Its meeting is free.
        await Eventually.TrueAsync(async () => (await RetriesAsync())?.Contains($"Bot {bot.Id}", StringComparison.Ordinal) is true);
        Assert.Contains("The container engine is unreachable.", await RetriesAsync(), StringComparison.Ordinal);
        Assert.Equal("nothing-to-finalize", await RefusalAsync(bot.Id));
        var (accepted, other) = await Manager.PostAsync("/bots", $$"""{"meetingUrl": "{{bot.MeetingUrl}}", "userId": "anna"}""");
        Assert.Equal(HttpStatusCode.Accepted, accepted);
        Assert.Equal("nothing-to-finalize", await RefusalAsync(SessionId.Parse((string)other!["id"]!)));

        var gone = await PlacedBots.UnfinalizedAsync(queueing);
        Directory.Delete(new StorageLayout(Manager.Storage).SessionFolder(gone.UserId, gone.Id), recursive: true);
        Assert.Equal("nothing-to-finalize", await RefusalAsync(gone.Id));
        Assert.Equal("bot-not-found", await RefusalAsync(SessionId.New(TimeProvider.System)));
    }

    private async Task<string?> RetriesAsync() => (string?)(await Manager.GetAsync("/health")).Body!["checks"]!["retries"]!["description"];

    /// <returns>The last part of the problem's type.</returns>
    private async Task<string> RefusalAsync(SessionId id) =>
        ((string)(await Manager.PostAsync($"/bots/{id}/finalize")).Body!["type"]!).Split(':')[^1];
}

/// <summary>A manager whose storage has less free space than it must have.</summary>
public sealed class FullStorageTests
{
    [Fact]
    public async Task Without_the_minimum_of_free_space_new_bots_are_rejected_and_health_tells()
    {
        await using var redis = await RedisServer.RunAsync();
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("Storage__MinimumFreeMegabytes", $"{int.MaxValue}"));

        var (status, problem) = await manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/abc-defg-hij"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:newarbots:problem:storage-unavailable"), (status, (string?)problem!["type"]));
        Assert.Contains("MiB of free space", (string?)problem["detail"], StringComparison.Ordinal);
        var later = TimeProvider.System.GetUtcNow().AddHours(1).ToString("O");
        Assert.Equal(HttpStatusCode.Accepted, (await manager.PostAsync("/bots", $$"""{"meetingUrl": "https://meet.google.com/abc-defg-hij", "startAt": "{{later}}"}""")).Status);
        var health = (await manager.GetAsync("/health")).Body!;
        Assert.Equal("degraded", (string?)health["checks"]!["storage"]!["status"]);
        Assert.Equal((string?)problem["detail"], (string?)health["checks"]!["storage"]!["description"]);
        Assert.DoesNotContain(".write-check", string.Join(' ', Directory.GetFiles(manager.Storage)), StringComparison.Ordinal);
    }
}

/// <summary>A manager that starts before its Redis.</summary>
public sealed class WithoutRedisTests
{
    [Fact]
    public async Task Manager_that_starts_before_Redis_reports_it_and_then_works()
    {
        await using var redis = await RedisServer.RunAsync();
        redis.Stop();
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"));

        var (status, health) = await manager.GetAsync("/health");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unhealthy"), (status, (string?)health!["checks"]!["redis"]!["status"]));
        var (rejected, problem) = await manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/abc-defg-hij"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:newarbots:problem:store-unavailable"), (rejected, (string?)problem!["type"]));

        await redis.StartAsync();
        await Eventually.TrueAsync(async () => (await manager.GetAsync("/health")).Status is HttpStatusCode.OK);
        await manager.RecordAsync("https://meet.google.com/abc-defg-hij");
    }
}
