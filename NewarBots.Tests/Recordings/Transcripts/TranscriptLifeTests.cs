using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Recordings.Transcripts;

/// <summary>Transcripts of real recordings by a real manager, with a speech server that tests control.</summary>
public sealed class TranscriptLifeTests : IAsyncLifetime
{
    private const string Name = "Weekly";

    /// <summary>
    /// Pieces of the recording that <see cref="PlacedBots.RecordedAsync"/> places: three turns of the named speaker, one of another, and sound in between.
    /// </summary>
    private static readonly (string? Source, double Start)[] Turns =
        [("track:1", 0), (Name, 9), (null, 18.3), (null, 24.5), ("track:1", 30), (null, 34.3), ("track:3", 40), (null, 44.3), (null, 52)];

    private readonly SpeechServerStub _stub = new();
    private QueueingManager _host = null!;

    private ManagerProcess Manager => _host.Manager;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _stub.StartAsync();
        _host = new()
        {
            Settings =
            [
                ("Transcription__Endpoint", _stub.Url), ("Transcription__ApiKey", "sk-secret-123"), ("Webhooks__AllowPrivateAddresses", "true"),
                // A deletion asks the engine for the bot's container.
                ("DOCKER_HOST", "unix:///var/run/docker.sock"),
            ],
        };
        await _host.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _stub.DisposeAsync();
    }

    [Fact]
    public async Task Recording_becomes_a_text_with_speakers_in_every_format_and_is_deleted_with_it()
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        await Manager.PostAsync("/webhooks", $$"""{"url": "{{receiver.Url}}", "userId": "anna", "events": ["transcript.completed"]}""");
        var id = await PlacedBots.RecordedAsync(_host, Name);
        Assert.Equal(HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}/transcript")).Status);

        var (accepted, pending) = await Manager.PostAsync($"/bots/{id}/transcript?language=en");
        Assert.Equal((HttpStatusCode.Accepted, "pending", "en"), (accepted, (string?)pending!["transcript"]!["status"], (string?)pending["transcript"]!["language"]));
        var bot = await EndedAsync(id, "completed");

        Assert.Equal(("completed", "english", "whisper-1"), ((string?)bot["status"], (string?)bot["transcript"]!["language"], (string?)bot["transcript"]!["model"]));
        var transcript = (await Manager.GetAsync((string)bot["transcript"]!["url"]!)).Body!;
        var segments = transcript["segments"]!.AsArray();
        // The speech begins 0.3 s into each piece, after its context, except in the first one, which begins with the recording.
        Assert.Equal(Turns.Select(turn => (turn.Source, Math.Round(Math.Max(0.3, turn.Start), 1))), segments.Select(segment => ((string?)segment!["source"], Math.Round((double)segment["start"]!, 1))));
        Assert.Equal(Name, (string?)segments[0]!["speaker"]);
        Assert.All(_stub.Requests, request => Assert.Equal("OggS"u8, request.Audio.AsSpan(0, 4)));
        foreach (var (format, type, start) in ((string, string, string)[])
            [("txt", "text/plain", $"[00:00:00] {Name}: Hello there."), ("srt", "application/x-subrip", "1\n00:00:00,300 --> "), ("vtt", "text/vtt", "WEBVTT\n"), ("md", "text/markdown", "# Transcript\n")])
        {
            using var response = await Manager.Api.GetAsync(new Uri($"/bots/{id}/transcript?format={format}", UriKind.Relative), Cancellation);
            Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.StartsWith(start, await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
            using var again = new HttpRequestMessage(HttpMethod.Get, response.RequestMessage!.RequestUri);
            again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
            using var unchanged = await Manager.Api.SendAsync(again, Cancellation);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        }

        await Eventually.TrueAsync(() => receiver.Received.Count == 1);
        Assert.Equal(("transcript.completed", $"{id}"), ((string?)receiver.Received[0].Body["type"], (string?)receiver.Received[0].Body["data"]!["id"]));
        Assert.DoesNotContain("sk-secret", Manager.Output, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.NoContent, (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative), Cancellation)).StatusCode);
        Assert.Empty(Files(id));
    }

    [Fact]
    public async Task Attempt_that_fails_continues_where_it_was_also_after_a_kill_of_the_manager()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        var good = _stub.Answer;
        _stub.Answer = (request, before) => before == 2 ? new Waiting() : before > 2 ? SpeechServerStub.Problem(503) : good(request, before);

        await Manager.PostAsync($"/bots/{id}/transcript");
        await Eventually.TrueAsync(async () => _stub.Requests.Count >= 3 && (await Manager.GetAsync($"/bots/{id}")).Body!["transcript"]!["progress"] is not null);
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.GetAsync($"/bots/{id}/transcript")).Status);
        Manager.Kill();
        var (sent, done) = (_stub.Requests.Count, PartsOf(id));
        Assert.NotEmpty(done);
        _stub.Answer = good;
        await Manager.StartAsync();

        await EndedAsync(id, "completed");
        Assert.Equal(Turns.Length - done.Count, _stub.Requests.Count - sent);
        Assert.Equal(Turns.Length, (await Manager.GetAsync($"/bots/{id}/transcript")).Body!["segments"]!.AsArray().Count);
        Assert.DoesNotContain(Files(id), file => file.EndsWith(".jsonl", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Manager_that_is_stopped_in_the_middle_leaves_the_rest_to_the_next_one()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        var good = _stub.Answer;
        _stub.Answer = (request, before) => before >= 2 ? new Waiting() : good(request, before);
        await Manager.PostAsync($"/bots/{id}/transcript");
        await Eventually.TrueAsync(async () => _stub.Requests.Count >= 3 && (await Manager.GetAsync($"/bots/{id}")).Body!["transcript"]!["progress"] is not null);

        await Manager.TerminateAsync();
        var (sent, done) = (_stub.Requests.Count, PartsOf(id));
        await Manager.StartAsync(("Transcription__Endpoint", string.Empty));
        // This manager has no speech server, and leaves the transcript to one that has.
        await Eventually.TrueAsync(() => Manager.Output.Contains($"The transcript of bot {id} is pending, but this manager has no speech server", StringComparison.Ordinal), TimeSpan.FromMinutes(1));
        var left = (await Manager.GetAsync($"/bots/{id}")).Body!["transcript"]!;
        Assert.Equal(("pending", null), ((string?)left["status"], (string?)left["error"]));
        Assert.Equal("urn:newarbots:problem:transcription-off", (string?)(await Manager.PostAsync($"/bots/{id}/transcript")).Body!["type"]);
        await Manager.TerminateAsync();
        _stub.Answer = good;
        await Manager.StartAsync(("Transcription__Endpoint", _stub.Url));

        await EndedAsync(id, "completed");
        Assert.Equal(2, done.Count);
        Assert.Equal(Turns.Length - 2, _stub.Requests.Count - sent);
        Assert.Equal(Turns.Length, (await Manager.GetAsync($"/bots/{id}/transcript")).Body!["segments"]!.AsArray().Count);
    }

    [Fact]
    public async Task Two_managers_send_each_turn_once()
    {
        await using var another = await Manager.StartAnotherAsync();
        var ids = new List<SessionId>();
        for (var index = 0; index < 3; index++)
            ids.Add(await PlacedBots.RecordedAsync(_host, Name));

        foreach (var (index, id) in ids.Index())
            await (index % 2 == 0 ? Manager : another).PostAsync($"/bots/{id}/transcript");
        foreach (var id in ids)
            await EndedAsync(id, "completed");

        Assert.Equal(ids.Count * Turns.Length, _stub.Requests.Count);
    }

    [Fact]
    public async Task Repeat_that_fails_keeps_the_earlier_text_and_says_so()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        await Manager.PostAsync($"/bots/{id}/transcript");
        await EndedAsync(id, "completed");
        var (good, gate) = (_stub.Answer, new TaskCompletionSource());
        _stub.Answer = (_, _) => new Gated(gate.Task, SpeechServerStub.Problem(401));

        var (_, pending) = await Manager.PostAsync($"/bots/{id}/transcript?language=de");
        Assert.Equal(("pending", $"/bots/{id}/transcript"), ((string?)pending!["transcript"]!["status"], (string?)pending["transcript"]!["url"]));
        Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync($"/bots/{id}/transcript")).Status);
        gate.SetResult();
        var failed = await EndedAsync(id, "failed");

        Assert.Equal(($"/bots/{id}/transcript", "The speech server rejected the key (401). Check Transcription:ApiKey."), ((string?)failed["transcript"]!["url"], (string?)failed["transcript"]!["error"]));
        Assert.Equal("Hello there.", (string?)(await Manager.GetAsync($"/bots/{id}/transcript")).Body!["segments"]![0]!["text"]);

        _stub.Answer = (_, _) => SpeechServerStub.Json("""{"text": "Guten Tag."}""");
        await Manager.PostAsync($"/bots/{id}/transcript?language=de");
        await EndedAsync(id, "completed");
        Assert.Equal("Guten Tag.", (string?)(await Manager.GetAsync($"/bots/{id}/transcript")).Body!["segments"]![0]!["text"]);
    }

    [Fact]
    public async Task Ends_of_a_transcript_are_on_the_event_stream_of_all_bots()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        using var reader = new StreamReader(await Manager.Api.GetStreamAsync(new Uri("/bots/events?userId=anna", UriKind.Relative), Cancellation));
        var good = _stub.Answer;
        _stub.Answer = (_, _) => SpeechServerStub.Problem(401);
        await Manager.PostAsync($"/bots/{id}/transcript");

        var failed = await NextAsync("transcript.failed");
        _stub.Answer = good;
        await Manager.PostAsync($"/bots/{id}/transcript");
        var completed = await NextAsync("transcript.completed");

        Assert.Equal(($"{id}", "failed"), ((string?)failed["id"], (string?)failed["transcript"]!["status"]));
        Assert.Equal(($"{id}", "completed", $"/bots/{id}/transcript"), ((string?)completed["id"], (string?)completed["transcript"]!["status"], (string?)completed["transcript"]!["url"]));

        async Task<JsonNode> NextAsync(string type)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            for (var isIt = false; ;)
            {
                var line = await reader.ReadLineAsync(deadline.Token) ?? throw new InvalidOperationException("The stream ended.");
                if (isIt && line.StartsWith("data: ", StringComparison.Ordinal))
                    return JsonNode.Parse(line["data: ".Length..])!;
                isIt = line == $"event: {type}" || (isIt && line.Length > 0);
            }
        }
    }

    [Fact]
    public async Task Turn_that_the_server_rejects_is_a_gap_until_a_repeat_which_sends_only_this_turn()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        var good = _stub.Answer;
        byte[]? bad = null;
        _stub.Answer = (request, before) =>
        {
            if (before == 3)
                bad = request.Audio;
            return bad is not null && request.Audio.AsSpan().SequenceEqual(bad) ? SpeechServerStub.Problem(400, """{"error": {"message": "Audio file might be corrupted"}}""") : good(request, before);
        };

        await Manager.PostAsync($"/bots/{id}/transcript");
        await EndedAsync(id, "completed");

        var transcript = (await Manager.GetAsync($"/bots/{id}/transcript")).Body!;
        Assert.Equal(Turns.Length - 1, transcript["segments"]!.AsArray().Count);
        var missing = Assert.Single(transcript["missing"]!.AsArray())!;
        Assert.Equal("The speech server rejected the request (400): Audio file might be corrupted.", (string?)missing["error"]);
        Assert.Contains(Turns, turn => Math.Abs(turn.Start - (double)missing["start"]!) < 0.5);
        Assert.StartsWith("1 turn of speech has no text, the first one at 0:00:", (string?)Assert.Single(transcript["warnings"]!.AsArray()), StringComparison.Ordinal);

        var sent = _stub.Requests.Count;
        _stub.Answer = good;
        await Manager.PostAsync($"/bots/{id}/transcript");
        await EndedAsync(id, "completed");

        Assert.Equal(bad, Assert.Single(_stub.Requests.Skip(sent)).Audio);
        transcript = (await Manager.GetAsync($"/bots/{id}/transcript")).Body!;
        Assert.Equal((Turns.Length, 0), (transcript["segments"]!.AsArray().Count, transcript["missing"]!.AsArray().Count));
        await Eventually.TrueAsync(() => !Files(id).Exists(file => file.EndsWith(".jsonl", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(200, "Welcome", "The speech server's answer is no valid JSON.")]
    [InlineData(413, "{}", "The speech server rejected the audio as too large (413). Lower Transcription:MaxUploadMegabytes.")]
    [InlineData(422, "{}", "The speech server rejected the request (422).")]
    public async Task Server_that_rejects_everything_is_not_asked_for_every_turn(int status, string body, string message)
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        _stub.Answer = (_, _) => SpeechServerStub.Problem(status, body);

        await Manager.PostAsync($"/bots/{id}/transcript");

        Assert.Equal(message, (string?)(await EndedAsync(id, "failed"))["transcript"]!["error"]);
        // Those that were under way end. A rejected request for times is repeated without them.
        Assert.InRange(_stub.Requests.Count(request => !request.IsVerbose || status != 422), 3, 6);
    }

    [Fact]
    public async Task Failure_is_an_error_of_the_transcript_only_and_can_be_repeated()
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        await Manager.PostAsync("/webhooks", $$"""{"url": "{{receiver.Url}}", "userId": "anna"}""");
        var id = await PlacedBots.RecordedAsync(_host, Name);
        var before = (await Manager.GetAsync($"/bots/{id}")).Body!;
        var good = _stub.Answer;
        _stub.Answer = (_, _) => SpeechServerStub.Problem(401, """{"error": {"message": "Incorrect API key provided: sk-secret-123."}}""");

        await Manager.PostAsync($"/bots/{id}/transcript");
        var failed = await EndedAsync(id, "failed");

        Assert.Equal("The speech server rejected the key (401). Check Transcription:ApiKey: Incorrect API key provided: ***.", (string?)failed["transcript"]!["error"]);
        Assert.Equal($"{before["status"]} {before["error"]} {before["recording"]}", $"{failed["status"]} {failed["error"]} {failed["recording"]}");
        var (status, problem) = await Manager.GetAsync($"/bots/{id}/transcript");
        Assert.Equal((HttpStatusCode.NotFound, "urn:newarbots:problem:no-transcript"), (status, (string?)problem!["type"]));
        await Eventually.TrueAsync(() => receiver.Types.Contains("transcript.failed"));
        Assert.DoesNotContain("sk-secret", Manager.Output, StringComparison.Ordinal);

        _stub.Answer = good;
        await Manager.PostAsync($"/bots/{id}/transcript");
        await EndedAsync(id, "completed");
    }

    [Fact]
    public async Task Temporary_failure_is_pending_with_its_error_and_a_bot_can_be_deleted_meanwhile()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        _stub.Answer = (_, _) => SpeechServerStub.Problem(429);

        await Manager.PostAsync($"/bots/{id}/transcript");
        var bot = await Eventually.NotNullAsync(async () => (await Manager.GetAsync($"/bots/{id}")).Body is { } shown && shown["transcript"]!["error"] is not null ? shown : null);

        Assert.Equal(("pending", "The speech server is over its limit (429)."), ((string?)bot["transcript"]!["status"], (string?)bot["transcript"]!["error"]));
        Assert.Equal(HttpStatusCode.NoContent, (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative), Cancellation)).StatusCode);
        Assert.Empty(Files(id));
    }

    [Fact]
    public async Task Bot_that_is_deleted_while_it_is_transcribed_leaves_no_file()
    {
        var id = await PlacedBots.RecordedAsync(_host, Name);
        var (good, gate) = (_stub.Answer, new TaskCompletionSource());
        _stub.Answer = (request, before) => new Gated(gate.Task, good(request, before));
        await Manager.PostAsync($"/bots/{id}/transcript");
        await Eventually.TrueAsync(() => _stub.Requests.Count > 0);

        Assert.Equal(HttpStatusCode.NoContent, (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative), Cancellation)).StatusCode);
        gate.SetResult();

        await using var redis = await ConnectionMultiplexer.ConnectAsync(_host.Redis.Configuration);
        await Eventually.TrueAsync(async () => !await redis.GetDatabase().KeyExistsAsync($"newarbots:lease:{id}:transcript"));
        Assert.Empty(Files(id));
        Assert.Equal(0, await redis.GetDatabase().SortedSetLengthAsync(BotKeys.Transcripts));
    }

    [Fact]
    public async Task Bot_of_a_request_says_whether_it_wants_a_transcript()
    {
        Assert.Equal(HttpStatusCode.Accepted, (await Manager.PostAsync("/bots", $$"""{"meetingUrl": "https://meet.google.com/aaa-aaaa-aaa", "startAt": "{{TimeProvider.System.GetUtcNow().AddDays(1):O}}", "transcript": {"enabled": true, "language": "de"} }""")).Status);
        var (status, problem) = await Manager.PostAsync("/bots", """{"meetingUrl": "https://meet.google.com/aaa-aaaa-aab", "transcript": {"enabled": 1, "language": "x", "speed": 2}}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["transcript.enabled", "transcript.language", "transcript.speed"], problem!["errors"]!.AsObject().Select(error => error.Key));
    }

    private List<string> Files(SessionId id) =>
        [.. Directory.EnumerateFileSystemEntries(new StorageLayout(Manager.Storage).FinalFolder(UserId.Parse("anna"))).Where(path => path.Contains($"{id}", StringComparison.Ordinal))];

    /// <summary>The finished lines of the file that keeps what was transcribed so far.</summary>
    private List<string> PartsOf(SessionId id) =>
        [.. File.ReadAllText(new StorageLayout(Manager.Storage).TranscriptParts(UserId.Parse("anna"), id)).Split('\n').Skip(1).Where(line => line.EndsWith('}'))];

    private Task<JsonNode> EndedAsync(SessionId id, string status) => Eventually.NotNullAsync(async () =>
    {
        var bot = (await Manager.GetAsync($"/bots/{id}")).Body!;
        var actual = (string?)bot["transcript"]?["status"];
        Assert.False(actual is "completed" or "failed" && actual != status, $"{bot["transcript"]}\n{Manager.Output}");
        return actual == status ? bot : null;
    });

    private sealed class Waiting : IResult
    {
        public Task ExecuteAsync(HttpContext context) => new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
    }

    private sealed class Gated(Task gate, IResult answer) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            await gate;
            await answer.ExecuteAsync(context);
        }
    }
}
