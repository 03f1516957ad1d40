using System.Net;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Webhooks;

/// <summary>The real manager, a real Redis, and a server of somebody's own. No engine is there: the bots come as far as the queue.</summary>
public sealed class WebhookLifeTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private ManagerProcess _manager = null!;
    private WebhookReceiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        _receiver = new WebhookReceiver();
        _redis = await RedisServer.RunAsync();
        _manager = await ManagerProcess.StartAsync(
            _redis.Configuration, ("DOCKER_HOST", "tcp://127.0.0.1:1"), ("Webhooks__AllowPrivateAddresses", "true"));
    }

    public async ValueTask DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _redis.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task What_becomes_of_a_bot_is_told_signed_and_to_its_users_webhooks_alone()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync();
        var ends = await CreateAsync("""["bot.failed"]""");
        await CreateAsync(user: "bert");

        var bot = await EndedBotAsync();
        await Eventually.TrueAsync(() => Task.FromResult(_receiver.Received.Count == 3));

        var told = _receiver.Received.Where(message => message.IsSignedWith((string)webhook["secret"]!)).ToList();
        Assert.Equal(["bot.failed", "bot.queued"], told.Select(message => (string)message.Body["type"]!).Order());
        Assert.All(told, message => Assert.Equal(bot, (string?)message.Body["data"]!["id"]));
        var other = Assert.Single(_receiver.Received, message => message.IsSignedWith((string)ends["secret"]!));
        Assert.Equal("bot.failed", (string?)other.Body["type"]);
        Assert.Equal("stop_requested", (string?)other.Body["data"]!["reason"]);
        var deliveries = await DeliveriesAsync(webhook, 2, "delivered");
        Assert.Equal(told.Select(message => message.Id).Order(), deliveries.Select(delivery => (string)delivery["id"]!).Order());
        Assert.Equal((string?)told[0].Body["data"]!["createdAt"], (string?)deliveries[0]["body"]!["data"]!["createdAt"]);
    }

    [Fact]
    public async Task What_is_not_taken_is_sent_again_with_the_same_id_and_body()
    {
        _receiver.Answer = before => before == 0 ? Results.StatusCode(500) : Results.Ok();
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.failed"]""");

        await EndedBotAsync();

        var delivery = Assert.Single(await DeliveriesAsync(webhook, 1, "delivered"));
        Assert.Equal([500, 200], delivery["attempts"]!.AsArray().Select(attempt => (int)attempt!["httpStatus"]!));
        Assert.Equal(2, _receiver.Received.Count);
        Assert.Single(_receiver.Received.Select(message => (message.Id, message.Text)).Distinct());
    }

    [Fact]
    public async Task A_manager_that_is_killed_takes_no_message_with_it()
    {
        var webhook = await CreateAsync("""["bot.failed"]""");
        await EndedBotAsync();
        _manager.Kill();

        await _receiver.StartAsync();
        await _manager.StartAsync();

        await DeliveriesAsync(webhook, 1, "delivered");
        Assert.Single(_receiver.Received.Select(message => message.Id).Distinct());
    }

    [Fact]
    public async Task A_manager_that_is_stopped_waits_for_an_answer_and_leaves_the_rest_to_the_next_one_at_once()
    {
        var answered = new TaskCompletionSource();
        _receiver.Answer = before => new Answer(before == 0 ? new TaskCompletionSource().Task : answered.Task);
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.queued"]""");
        await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await Eventually.TrueAsync(() => _receiver.Received.Count == 1);
        await _manager.RecordAsync("https://meet.google.com/abc-defg-hik");
        await Eventually.TrueAsync(() => _receiver.Received.Count == 2);

        var end = _manager.TerminateAsync();
        await Eventually.TrueAsync(() => _manager.Output.Contains("shutting down", StringComparison.Ordinal));
        answered.SetResult();
        await end;

        await using var connection = await _redis.ConnectAsync();
        var known = new WebhookFiles(new StorageLayout(_manager.Storage), TimeProvider.System, NullLogger<WebhookFiles>.Instance).Find((string)webhook["id"]!)!;
        var now = TimeProvider.System.GetUtcNow();
        var due = await new DeliveryStore(connection, NullLogger<DeliveryStore>.Instance).ClaimAsync(known, now, until: now.AddMinutes(1), atMost: 10);
        Assert.Equal(_receiver.Received[0].Id, Assert.Single(due).Id);
        Assert.Empty(due[0].Attempts);
    }

    [Fact]
    public async Task Several_managers_send_each_message_once()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.queued"]""");
        await using var other = await _manager.StartAnotherAsync();

        for (var i = 0; i < 20; i++)
            await (i % 2 == 0 ? _manager : other).RecordAsync($"https://meet.google.com/abc-defg-{(char)('a' + i)}hi");

        await DeliveriesAsync(webhook, 20, "delivered");
        Assert.Equal(20, _receiver.Received.Count);
        Assert.Equal(20, _receiver.Received.Select(message => message.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_message_is_sent_once_more_where_somebody_asks_for_it()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync();
        var (status, sent) = await _manager.PostAsync($"/webhooks/{webhook["id"]}/test");
        Assert.Equal(HttpStatusCode.Accepted, status);
        await DeliveriesAsync(webhook, 1, "delivered");

        Assert.Equal(HttpStatusCode.Accepted, (await _manager.PostAsync($"/webhooks/{webhook["id"]}/deliveries/{sent!["id"]}/redeliver")).Status);

        await Eventually.TrueAsync(() => Task.FromResult(_receiver.Received.Count == 2));
        Assert.Equal([(string)sent["id"]!, (string)sent["id"]!], _receiver.Received.Select(message => message.Id));
        Assert.Equal(["webhook.test", "webhook.test"], _receiver.Types);
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_told_nothing_any_more()
    {
        _receiver.Answer = _ => Results.StatusCode(410);
        await _receiver.StartAsync();
        var webhook = await CreateAsync();

        await _manager.PostAsync($"/webhooks/{webhook["id"]}/test");
        await Eventually.TrueAsync(async () => (await _manager.GetAsync($"/webhooks/{webhook["id"]}")).Body!["disabledAt"] is not null);
        await EndedBotAsync();

        Assert.Equal("failed", (string?)Assert.Single(await DeliveriesAsync(webhook, 1, "failed"))["status"]);
        Assert.Equal("urn:newarbots:problem:webhook-disabled", (string?)(await _manager.PostAsync($"/webhooks/{webhook["id"]}/test")).Body!["type"]);
        Assert.Single(_receiver.Received);
    }

    [Fact]
    public async Task What_a_receiver_that_is_gone_was_still_to_be_told_is_given_up()
    {
        _receiver.Answer = before => Results.StatusCode(before < 3 ? 500 : 410);
        await _receiver.StartAsync();
        var webhook = await CreateAsync();
        for (var sent = 1; sent <= 4; sent++)
        {
            await _manager.PostAsync($"/webhooks/{webhook["id"]}/test");
            await Eventually.TrueAsync(() => _receiver.Received.Count == sent);
        }

        var deliveries = await DeliveriesAsync(webhook, 4, "failed");
        Assert.All(deliveries, delivery => Assert.Null(delivery["nextAttemptAt"]));
        Assert.Equal(4, _receiver.Received.Count);
    }

    [Fact]
    public async Task A_user_has_twenty_webhooks_however_many_are_asked_for_at_once()
    {
        var body = $$"""{"url": {{JsonSerializer.Serialize(_receiver.Url)}} }""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _manager.PostAsync("/webhooks", body)));

        Assert.Equal(20, answers.Count(answer => answer.Status is HttpStatusCode.Created));
        var refused = answers.Where(answer => answer.Status is HttpStatusCode.TooManyRequests).ToList();
        Assert.Equal(20, refused.Count);
        Assert.All(refused, answer => Assert.Equal(("urn:newarbots:problem:too-many-webhooks", 20), ((string?)answer.Body!["type"], (int)answer.Body["limit"]!)));
        Assert.Equal(20, (await _manager.GetAsync("/webhooks")).Body!["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task Deliveries_come_in_pages_newest_first()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync();
        var sent = new List<string>();
        for (var i = 0; i < 5; i++)
            sent.Add((string)(await _manager.PostAsync($"/webhooks/{webhook["id"]}/test")).Body!["id"]!);

        var pages = new List<string[]>();
        string? cursor = null;
        do
        {
            var page = (await _manager.GetAsync($"/webhooks/{webhook["id"]}/deliveries?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).Body!;
            pages.Add([.. page["items"]!.AsArray().Select(item => (string)item!["id"]!)]);
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);

        Assert.Equal([2, 2, 1], pages.Select(page => page.Length));
        Assert.Equal(sent.OrderDescending(StringComparer.Ordinal), pages.SelectMany(page => page));
    }

    [Fact]
    public async Task With_a_new_secret_both_sign_and_neither_is_told_again()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync();

        var (_, changed) = await _manager.PostAsync($"/webhooks/{webhook["id"]}/secret");
        await _manager.PostAsync($"/webhooks/{webhook["id"]}/test");
        await Eventually.TrueAsync(() => Task.FromResult(_receiver.Received.Count == 1));

        Assert.True(_receiver.Received[0].IsSignedWith((string)webhook["secret"]!));
        Assert.True(_receiver.Received[0].IsSignedWith((string)changed!["secret"]!));
        Assert.Null((await _manager.GetAsync($"/webhooks/{webhook["id"]}")).Body!["secret"]);
        Assert.DoesNotContain("whsec_", _manager.Output, StringComparison.Ordinal);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task An_emptied_Redis_silences_nobody_and_a_file_that_is_none_harms_nobody()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.failed"]""");
        var file = Path.Combine(_manager.Storage, "webhooks", $"{webhook["id"]}.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        await File.WriteAllTextAsync(Path.Combine(_manager.Storage, "webhooks", "wh_broken.json"), "{", TestContext.Current.CancellationToken);
        await using (var connection = await _redis.ConnectAsync())
            await connection.GetServers()[0].FlushAllDatabasesAsync();

        await EndedBotAsync();

        await DeliveriesAsync(webhook, 1, "delivered");
        Assert.Equal(HttpStatusCode.NoContent, (await _manager.Api.DeleteAsync(new Uri($"/webhooks/{webhook["id"]}", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.False(File.Exists(file));
        Assert.Equal(HttpStatusCode.NotFound, (await _manager.GetAsync($"/webhooks/{webhook["id"]}")).Status);
    }

    [Fact]
    public async Task A_request_that_is_wrong_is_told_every_field_at_fault()
    {
        var (status, problem) = await _manager.PostAsync("/webhooks", """{"url": "file:///etc/passwd", "events": ["bot.no"], "userId": "A B", "secret": "mine"}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["events", "secret", "url", "userId"], problem!["errors"]!.AsObject().Select(field => field.Key).Order());
    }

    /// <summary>200, in a while.</summary>
    private sealed class Answer(Task after) : IResult
    {
        public Task ExecuteAsync(HttpContext context) => after.WaitAsync(context.RequestAborted);
    }

    /// <summary>A bot that was queued and stopped: two events.</summary>
    private async Task<string> EndedBotAsync()
    {
        var id = await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await _manager.PostAsync($"/bots/{id}/stop");
        return id;
    }

    private async Task<JsonNode> CreateAsync(string events = "[]", string user = "anna")
    {
        var (status, webhook) = await _manager.PostAsync("/webhooks", $$"""{"url": {{JsonSerializer.Serialize(_receiver.Url)}}, "events": {{events}}, "userId": "{{user}}"}""");
        Assert.True(status is HttpStatusCode.Created, $"{status}: {webhook}");
        return webhook!;
    }

    /// <summary>Its messages, once there are so many and all have come to this status.</summary>
    private async Task<IReadOnlyList<JsonNode>> DeliveriesAsync(JsonNode webhook, int count, string status)
    {
        IReadOnlyList<JsonNode> found = [];
        await Eventually.TrueAsync(async () =>
        {
            found = [.. (await _manager.GetAsync($"/webhooks/{webhook["id"]}/deliveries?limit=100")).Body!["items"]!.AsArray().Select(item => item!)];
            return found.Count == count && found.All(delivery => (string?)delivery["status"] == status);
        });
        return found;
    }
}
