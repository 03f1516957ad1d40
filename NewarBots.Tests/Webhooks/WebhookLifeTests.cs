using System.Net;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Webhooks;

/// <summary>Webhooks of a real manager with a real Redis and a real receiver. The Docker engine is unavailable, so bots stay queued.</summary>
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
    public async Task Status_changes_are_sent_signed_to_the_webhooks_of_the_bots_user_only()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync();
        var cancellations = await CreateAsync("""["bot.cancelled"]""");
        await CreateAsync(user: "bert");

        var bot = await StoppedBotAsync();
        await Eventually.TrueAsync(() => Task.FromResult(_receiver.Received.Count == 3));

        var allEvents = _receiver.Received.Where(message => message.IsSignedWith((string)webhook["secret"]!)).ToList();
        Assert.Equal(["bot.cancelled", "bot.queued"], allEvents.Select(message => (string)message.Body["type"]!).Order());
        Assert.All(allEvents, message => Assert.Equal(bot, (string?)message.Body["data"]!["id"]));
        var other = Assert.Single(_receiver.Received, message => message.IsSignedWith((string)cancellations["secret"]!));
        Assert.Equal("bot.cancelled", (string?)other.Body["type"]);
        Assert.Equal("stop_requested", (string?)other.Body["data"]!["reason"]);
        var deliveries = await DeliveriesAsync(webhook, 2, "delivered");
        Assert.Equal(allEvents.Select(message => message.Id).Order(), deliveries.Select(delivery => (string)delivery["id"]!).Order());
        Assert.Equal((string?)allEvents[0].Body["data"]!["createdAt"], (string?)deliveries[0]["body"]!["data"]!["createdAt"]);
    }

    [Fact]
    public async Task A_failed_message_is_sent_again_with_the_same_id_and_body()
    {
        _receiver.Answer = before => before == 0 ? Results.StatusCode(500) : Results.Ok();
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.cancelled"]""");

        await StoppedBotAsync();

        var delivery = Assert.Single(await DeliveriesAsync(webhook, 1, "delivered"));
        Assert.Equal([500, 200], delivery["attempts"]!.AsArray().Select(attempt => (int)attempt!["httpStatus"]!));
        Assert.Equal(2, _receiver.Received.Count);
        Assert.Single(_receiver.Received.Select(message => (message.Id, message.Text)).Distinct());
    }

    [Fact]
    public async Task No_message_is_lost_when_the_manager_is_killed()
    {
        var webhook = await CreateAsync("""["bot.cancelled"]""");
        await StoppedBotAsync();
        _manager.Kill();

        await _receiver.StartAsync();
        await _manager.StartAsync();

        await DeliveriesAsync(webhook, 1, "delivered");
        Assert.Single(_receiver.Received.Select(message => message.Id).Distinct());
    }

    [Fact]
    public async Task A_stopping_manager_waits_for_responses_and_releases_the_other_messages_at_once()
    {
        var answered = new TaskCompletionSource();
        _receiver.Answer = before => new DelayedOk(before == 0 ? new TaskCompletionSource().Task : answered.Task);
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.queued"]""");
        await _manager.RecordAsync("https://meet.google.com/abc-defg-hij");
        await Eventually.TrueAsync(() => _receiver.Received.Count == 1);
        await _manager.RecordAsync("https://meet.google.com/abc-defg-hik");
        await Eventually.TrueAsync(() => _receiver.Received.Count == 2);

        var stopping = _manager.TerminateAsync();
        await Eventually.TrueAsync(() => _manager.Output.Contains("shutting down", StringComparison.Ordinal));
        answered.SetResult();
        await stopping;

        await using var connection = await _redis.ConnectAsync();
        using var metrics = new MetricsProbe();
        var stored = new WebhookFiles(new StorageLayout(_manager.Storage), TimeProvider.System, NullLogger<WebhookFiles>.Instance).Find((string)webhook["id"]!)!;
        var now = TimeProvider.System.GetUtcNow();
        var due = await new DeliveryStore(connection, Options.Create(new WebhookOptions()), metrics.Bots, NullLogger<DeliveryStore>.Instance).ClaimAsync(stored, now, until: now.AddMinutes(1), maximum: 10);
        Assert.Equal(_receiver.Received[0].Id, Assert.Single(due).Id);
        Assert.Empty(due[0].Attempts);
    }

    [Fact]
    public async Task Several_managers_send_each_message_only_once()
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
    public async Task A_delivered_message_can_be_redelivered()
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
    public async Task A_webhook_is_disabled_after_a_410_response()
    {
        _receiver.Answer = _ => Results.StatusCode(410);
        await _receiver.StartAsync();
        var webhook = await CreateAsync();

        await _manager.PostAsync($"/webhooks/{webhook["id"]}/test");
        await Eventually.TrueAsync(async () => (await _manager.GetAsync($"/webhooks/{webhook["id"]}")).Body!["disabledAt"] is not null);
        await StoppedBotAsync();

        Assert.Equal("failed", (string?)Assert.Single(await DeliveriesAsync(webhook, 1, "failed"))["status"]);
        Assert.Equal("urn:newarbots:problem:webhook-disabled", (string?)(await _manager.PostAsync($"/webhooks/{webhook["id"]}/test")).Body!["type"]);
        Assert.Single(_receiver.Received);
    }

    [Fact]
    public async Task Pending_messages_fail_when_their_webhook_is_disabled()
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
    public async Task Concurrent_requests_cannot_exceed_twenty_webhooks_per_user()
    {
        var body = $$"""{"url": {{JsonSerializer.Serialize(_receiver.Url)}} }""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _manager.PostAsync("/webhooks", body)));

        Assert.Equal(20, answers.Count(answer => answer.Status is HttpStatusCode.Created));
        var rejected = answers.Where(answer => answer.Status is HttpStatusCode.TooManyRequests).ToList();
        Assert.Equal(20, rejected.Count);
        Assert.All(rejected, answer => Assert.Equal(("urn:newarbots:problem:too-many-webhooks", 20), ((string?)answer.Body!["type"], (int)answer.Body["limit"]!)));
        Assert.Equal(20, (await _manager.GetAsync("/webhooks")).Body!["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task Deliveries_are_listed_in_pages_newest_first()
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
    public async Task After_a_secret_is_replaced_both_sign_and_neither_is_shown_again()
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
    public async Task Webhooks_survive_a_loss_of_Redis_data_and_a_damaged_file_does_not_affect_others()
    {
        await _receiver.StartAsync();
        var webhook = await CreateAsync("""["bot.cancelled"]""");
        var file = Path.Combine(_manager.Storage, "webhooks", $"{webhook["id"]}.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        await File.WriteAllTextAsync(Path.Combine(_manager.Storage, "webhooks", "wh_broken.json"), "{", TestContext.Current.CancellationToken);
        await using (var connection = await _redis.ConnectAsync())
            await connection.GetServers()[0].FlushAllDatabasesAsync();

        await StoppedBotAsync();

        await DeliveriesAsync(webhook, 1, "delivered");
        Assert.Equal(HttpStatusCode.NoContent, (await _manager.Api.DeleteAsync(new Uri($"/webhooks/{webhook["id"]}", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.False(File.Exists(file));
        Assert.Equal(HttpStatusCode.NotFound, (await _manager.GetAsync($"/webhooks/{webhook["id"]}")).Status);
    }

    [Fact]
    public async Task A_bots_own_webhook_gets_the_events_of_this_bot_only_and_its_messages_can_be_listed_and_sent_again()
    {
        await _receiver.StartAsync();
        var (status, bot) = await _manager.PostAsync("/bots", JsonSerializer.Serialize(new
        {
            meetingUrl = "https://meet.google.com/own-webh-ook",
            userId = "anna",
            webhook = new { url = _receiver.Url, events = new[] { "bot.cancelled" } },
        }));
        Assert.Equal(HttpStatusCode.Accepted, status);
        var (id, own) = ((string)bot!["id"]!, bot["webhook"]!);
        Assert.Null((await _manager.GetAsync($"/bots/{id}")).Body!["webhook"]!["secret"]);
        Assert.Empty((await _manager.GetAsync("/webhooks")).Body!["items"]!.AsArray());

        await StoppedBotAsync();
        await _manager.PostAsync($"/bots/{id}/stop");

        var delivery = Assert.Single(await DeliveriesAsync(own, 1, "delivered"));
        Assert.Equal((HttpStatusCode.Accepted, "pending"), await RedeliverAsync());
        await Eventually.TrueAsync(() => Task.FromResult(_receiver.Received.Count == 2));
        Assert.All(_receiver.Received, message => Assert.Equal((id, "bot.cancelled"), ((string?)message.Body["data"]!["id"], (string?)message.Body["type"])));
        Assert.All(_receiver.Received, message => Assert.True(message.IsSignedWith((string)own["secret"]!)));
        await DeliveriesAsync(own, 1, "delivered");
        await using var connection = await _redis.ConnectAsync();
        await Eventually.TrueAsync(async () => await connection.GetDatabase().HashLengthAsync("newarbots:webhooks:own") == 0);

        async Task<(HttpStatusCode, string?)> RedeliverAsync()
        {
            var (answer, again) = await _manager.PostAsync($"/webhooks/{own["id"]}/deliveries/{delivery["id"]}/redeliver");
            return (answer, (string?)again!["status"]);
        }
    }

    [Fact]
    public async Task An_invalid_request_names_every_invalid_field()
    {
        var (status, problem) = await _manager.PostAsync("/webhooks", """{"url": "file:///etc/passwd", "events": ["bot.no"], "userId": "A B", "secret": "mine"}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["events", "secret", "url", "userId"], problem!["errors"]!.AsObject().Select(field => field.Key).Order());
    }

    /// <summary>Responds with 200 once the task has completed.</summary>
    private sealed class DelayedOk(Task after) : IResult
    {
        public Task ExecuteAsync(HttpContext context) => after.WaitAsync(context.RequestAborted);
    }

    /// <summary>Creates a bot and stops it, which causes two events.</summary>
    private async Task<string> StoppedBotAsync()
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

    /// <summary>Waits until the webhook has this number of messages and all have this status.</summary>
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
