using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Bots.Events;

/// <summary>Events of a real manager on a real Redis; the test writes the messages of recorders.</summary>
public sealed class EventTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(4));
    private RedisServer _redis = null!;
    private ManagerProcess _manager = null!;
    private ConnectionMultiplexer _recorder = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.RunAsync();
        _manager = await ManagerProcess.StartAsync(_redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"));
        _recorder = await _redis.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _recorder.DisposeAsync();
        await _redis.DisposeAsync();
        _deadline.Dispose();
    }

    [Fact]
    public async Task Stream_starts_with_the_history_continues_live_and_ends_with_the_bot()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await using var events = await OpenAsync($"/bots/{id}/events");

        Assert.Equal("queued", Status(await events.NextAsync()));
        await SayAsync(id, BotStatus.Joining, 100);
        var joining = await events.NextAsync();
        Assert.Equal("joining", Status(joining));
        var message = JsonDocument.Parse(joining.Data).RootElement;
        Assert.Equal((id, id), (message.GetProperty("id").GetString(), message.GetProperty("sessionId").GetString()));
        Assert.Equal(message.GetProperty("timestamp").GetInt64(), message.GetProperty("at").GetDateTimeOffset().ToUnixTimeMilliseconds());
        // Nothing runs, so the bot ends here only because the test says so.
        using (var metrics = new MetricsProbe())
        {
            await new BotStorage(_recorder, metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System).Commands.UpdateAsync(
                SessionId.Parse(id), bot => bot with { Status = BotStatus.Failed });
        }

        var last = await events.NextAsync();
        Assert.Equal(("status", "failed"), (last.EventType, Status(last)));
        var end = await events.NextAsync();
        Assert.Equal(("end", "failed"), (end.EventType, Status(end)));
        Assert.Equal($"newar-bot-{id}", (string?)JsonDocument.Parse(end.Data).RootElement.GetProperty("containerName").GetString());
        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task Participants_and_speakers_are_on_the_stream_live_and_a_new_client_gets_the_present_state()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await using var events = await OpenAsync($"/bots/{id}/events");
        await SayAsync(id, BotStatus.Recording, 100);
        Assert.Equal(["queued", "recording"], [Status(await events.NextAsync()), Status(await events.NextAsync())]);
        var at = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        await WriteAsync(id, new(Presence: new("Ana", at, IsPresent: true)));
        var joined = await events.NextAsync();
        Assert.Equal("participant.joined", joined.EventType);
        var data = JsonDocument.Parse(joined.Data).RootElement;
        Assert.Equal((id, "Ana", at), (data.GetProperty("id").GetString(), data.GetProperty("name").GetString(), data.GetProperty("at").GetDateTimeOffset().ToUnixTimeMilliseconds()));

        await WriteAsync(id, new(Speaking: new("track:1", at + 1, IsSpeaking: true, "Ana")));
        Assert.Equal("speaker.started", (await events.NextAsync()).EventType);
        await WriteAsync(id, new(Speaking: new("track:1", at + 2, IsSpeaking: false, "Ana")));
        Assert.Equal("speaker.stopped", (await events.NextAsync()).EventType);
        await WriteAsync(id, new(Presence: new("Ana", at + 3, IsPresent: false)));
        Assert.Equal("participant.left", (await events.NextAsync()).EventType);

        await using var other = await OpenAsync($"/bots/{id}/events");
        foreach (var type in (string[])["status", "status", "participant.joined", "speaker.started", "speaker.stopped", "participant.left"])
            Assert.Equal(type, (await other.NextAsync()).EventType);
        var participant = Assert.Single((await _manager.GetAsync($"/bots/{id}/participants")).Body!["items"]!.AsArray())!;
        Assert.Equal((at, at + 3), (participant["joinedAt"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds(), participant["leftAt"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds()));
    }

    [Fact]
    public async Task Reconnecting_client_gets_the_events_it_missed_and_nothing_once_it_has_all()
    {
        var (id, first) = await StoppedAfterFirstAsync();

        await using var again = await OpenAsync($"/bots/{id}/events", first);
        var missed = await again.NextAsync();
        Assert.Equal("cancelled", Status(missed));
        Assert.Equal("end", (await again.NextAsync()).EventType);

        using var nothing = await SendAsync($"/bots/{id}/events", missed.EventId);
        Assert.Equal(HttpStatusCode.NoContent, nothing.StatusCode);
    }

    [Fact]
    public async Task Journal_lines_that_are_no_messages_of_this_bot_are_not_sent()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        RecorderJournal.Write(_manager.Storage, UserId.Parse("anna"), SessionId.Parse(id), "nonsense\n\nevent: end\ndata: {}\n\n");
        await SayAsync(id, BotStatus.Joining, 100, detail: "two\n\nlines");

        await using var events = await OpenAsync($"/bots/{id}/events");

        Assert.Equal("queued", Status(await events.NextAsync()));
        var joining = await events.NextAsync();
        Assert.Equal(("status", "two  lines"), (joining.EventType, JsonDocument.Parse(joining.Data).RootElement.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Stream_stays_open_while_Redis_is_unreachable_and_continues_afterwards()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await using var events = await OpenAsync($"/bots/{id}/events");
        await events.NextAsync();

        _redis.Stop();
        await Eventually.TrueAsync(async () => (await _manager.GetAsync("/health")).Status is HttpStatusCode.ServiceUnavailable);
        await _redis.StartAsync();
        // A bot that is queued, unlike one with a recorder, is only read when its channel says so.
        await Eventually.TrueAsync(async () =>
            _recorder.IsConnected && await _recorder.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(SessionId.Parse(id))), "") > 0);
        await SayAsync(id, BotStatus.Joining, 100);

        Assert.Equal("joining", Status(await events.NextAsync()));
    }

    [Fact]
    public async Task Client_that_reconnects_while_Redis_is_unreachable_does_not_get_204()
    {
        var (id, first) = await StoppedAfterFirstAsync();
        _redis.Stop();
        await Eventually.TrueAsync(async () => (await _manager.GetAsync("/health")).Status is HttpStatusCode.ServiceUnavailable);

        await using var again = await OpenAsync($"/bots/{id}/events", first);
        await _redis.StartAsync();

        Assert.Equal("cancelled", Status(await again.NextAsync()));
        Assert.Equal("end", (await again.NextAsync()).EventType);
    }

    [Fact]
    public async Task Stream_of_all_bots_sends_their_current_state_and_every_change()
    {
        var known = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij", userId: "ben");
        await using var events = await OpenAsync("/bots/events?userId=ben");
        Assert.Equal((known, "queued"), Bot(await events.NextAsync()));

        await _manager.RecordAsync("https://meet.google.com/abc-defg-hij", userId: "carla");
        var another = await _manager.RecordAsync("https://meet.google.com/abc-defg-hik", userId: "ben");
        Assert.Equal((another, "queued"), Bot(await events.NextAsync()));
        await _manager.PostAsync($"/bots/{known}/stop");
        Assert.Equal((known, "cancelled"), Bot(await events.NextAsync()));
    }

    [Fact]
    public async Task Deletion_by_any_manager_is_sent_to_clients_that_may_see_the_bot()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij", userId: "ben");
        await using var own = await OpenAsync("/bots/events?userId=ben");
        await using var all = await OpenAsync("/bots/events");
        await using var others = await OpenAsync("/bots/events?userId=carla");
        Assert.Equal((id, "queued"), Bot(await own.NextAsync()));
        await _manager.PostAsync($"/bots/{id}/stop");
        Assert.Equal((id, "cancelled"), Bot(await own.NextAsync()));

        using (var metrics = new MetricsProbe())
        {
            var store = new BotStorage(_recorder, metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System);
            await store.Commands.DeleteAsync((await store.Queries.FindAsync(SessionId.Parse(id)))!);
        }

        var another = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij", userId: "carla");
        var deletion = await own.NextAsync();
        Assert.Equal(("deleted", $$"""{"id":"{{id}}"}"""), (deletion.EventType, deletion.Data));
        while ((await all.NextAsync()).EventType != "deleted")
        {
        }

        Assert.Equal((another, "queued"), Bot(await others.NextAsync()));
    }

    [Fact]
    public async Task Bots_of_another_manager_are_sent_too()
    {
        await using var another = await _manager.StartAnotherAsync();
        await using var all = await OpenAsync("/bots/events");
        var id = await another.RecordAsync("https://meet.google.com/abc-defg-hij");
        Assert.Equal((id, "queued"), Bot(await all.NextAsync()));
        await using var one = await OpenAsync($"/bots/{id}/events");
        await one.NextAsync();

        await another.PostAsync($"/bots/{id}/stop");

        Assert.Equal((id, "cancelled"), Bot(await all.NextAsync()));
        Assert.Equal("cancelled", Status(await one.NextAsync()));
    }

    [Fact]
    public async Task Stopping_manager_does_not_wait_for_listening_clients()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await using var events = await OpenAsync($"/bots/{id}/events");
        await using var all = await OpenAsync("/bots/events");
        using var log = await SendAsync($"/bots/{id}/logs?follow=true");
        await events.NextAsync();

        await _manager.TerminateAsync().WaitAsync(Patience, TimeProvider.System);
    }

    [Theory]
    [InlineData("/bots/0199aaaabbbbccccddddeeeeffff0001/events", null, HttpStatusCode.NotFound)]
    [InlineData("/bots/0199aaaabbbbccccddddeeeeffff0001/events", "7", HttpStatusCode.BadRequest)]
    [InlineData("/bots/events?userId=A", null, HttpStatusCode.BadRequest)]
    public async Task Invalid_stream_requests_are_rejected(string path, string? lastEventId, HttpStatusCode expected)
    {
        using var response = await SendAsync(path, lastEventId);

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    private static string? Status(SseItem<string> item) => JsonDocument.Parse(item.Data).RootElement.GetProperty("status").GetString();

    private static (string?, string?) Bot(SseItem<string> item)
    {
        Assert.Equal("bot", item.EventType);
        return (JsonDocument.Parse(item.Data).RootElement.GetProperty("id").GetString(), Status(item));
    }

    /// <returns>A bot that was stopped after the first of its events was read, and the id of that event.</returns>
    private async Task<(string Id, string First)> StoppedAfterFirstAsync()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await using var events = await OpenAsync($"/bots/{id}/events");
        var first = (await events.NextAsync()).EventId!;
        await _manager.PostAsync($"/bots/{id}/stop");
        return (id, first);
    }

    private async Task SayAsync(string id, BotStatus status, long sequence, string? detail = null)
    {
        var session = SessionId.Parse(id);
        await _recorder.ReportAsync(
            _manager.Storage, UserId.Parse("anna"),
            new(session, status, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), sequence, Detail: detail));
    }

    /// <summary>Writes to the journal and wakes the manager, as a recorder does that has no new status.</summary>
    private async Task WriteAsync(string id, JournalLine line)
    {
        var session = SessionId.Parse(id);
        RecorderJournal.Write(_manager.Storage, UserId.Parse("anna"), session, Journal.Format(line));
        await _recorder.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(session)), "{}");
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        return await _manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _deadline.Token).WaitAsync(Patience, TimeProvider.System);
    }

    private async Task<Events> OpenAsync(string path, string? lastEventId = null)
    {
        var response = await SendAsync(path, lastEventId);
        Assert.Equal(
            (HttpStatusCode.OK, "text/event-stream", "no-cache"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Headers.CacheControl?.ToString()));
        return new(response, await response.Content.ReadAsStreamAsync(), _deadline.Token);
    }

    private sealed class Events(HttpResponseMessage response, Stream body, CancellationToken deadline) : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<SseItem<string>> _items = SseParser.Create(body).EnumerateAsync(deadline).GetAsyncEnumerator(deadline);

        public ValueTask<bool> MoveNextAsync() => _items.MoveNextAsync();

        public async Task<SseItem<string>> NextAsync()
        {
            Assert.True(await _items.MoveNextAsync(), "The stream has ended.");
            return _items.Current;
        }

        public async ValueTask DisposeAsync()
        {
            await _items.DisposeAsync();
            response.Dispose();
        }
    }
}
