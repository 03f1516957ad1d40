using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using NewarBots.Manager.Access;
using NewarBots.Tests.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>A manager without a container engine, without rate limits, called with an admin's key.</summary>
public sealed class UnlimitedManager : IAsyncLifetime
{
    private RedisServer _redis = null!;

    internal ManagerProcess Manager { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.RunAsync();
        Manager = await ManagerProcess.StartAsync(
            _redis.Configuration, ("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("Access__RequestsPerMinute", "10000000"), ("Access__RequestBurst", "10000000"));
        Manager.Api.DefaultRequestHeaders.Add(KeyAuthentication.HeaderName, await KeyedManager.AddAsync(Manager, "root", AccessRole.Admin));
    }

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await _redis.DisposeAsync();
    }
}

/// <summary>Random bodies for every endpoint that takes one.</summary>
[Trait("Suite", "Long")]
public sealed class RandomBodyTests(UnlimitedManager unlimited) : IClassFixture<UnlimitedManager>
{
    private const int Bodies = 10_000;
    private const int MaxMegabytes = 400;

    private static readonly string[] BotFields = ["meetingUrl", "botName", "userId", "leave", "metadata", "startAt"];

    private static readonly string[] ForeignFields = ["meetingurl", "id", "status", "secret", "__proto__"];

    private static readonly Gen<JsonNode?> Leaf = Gen.OneOf(
        Gen.String.Select(text => (JsonNode?)JsonValue.Create(text)),
        Gen.Double.Where(double.IsFinite).Select(number => (JsonNode?)JsonValue.Create(number)),
        Gen.Long.Select(number => (JsonNode?)JsonValue.Create(number)),
        Gen.Bool.Select(truth => (JsonNode?)JsonValue.Create(truth)),
        Gen.Const((JsonNode?)null));

    private static readonly Gen<JsonNode?> Node = Gen.Recursive<JsonNode?>((depth, node) => depth > 4
        ? Leaf
        : Gen.OneOf(
            Leaf,
            node.Array[0, 4].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])),
            Gen.Select(Gen.String[0, 20], node).Array[0, 4].Select(members =>
            {
                var parent = new JsonObject();
                foreach (var (name, value) in members)
                    parent[name] = value?.DeepClone();
                return (JsonNode?)parent;
            })));

    /// <summary>From an hour ago to slightly beyond the allowed lead time, in a random time zone.</summary>
    private static readonly Gen<JsonNode?> Time = Gen.Select(Gen.Int[-3_600, 3_000_000], Gen.Int[-14, 14]).Select((ahead, zone) =>
        (JsonNode?)JsonValue.Create(TimeProvider.System.GetUtcNow().AddSeconds(ahead).ToOffset(TimeSpan.FromHours(zone)).ToString("O")));

    private ManagerProcess Manager => unlimited.Manager;

    [Fact]
    public async Task Ten_thousand_random_bodies_cause_no_server_error_and_create_only_requested_bots()
    {
        var good = new JsonObject { ["meetingUrl"] = "https://meet.google.com/ran-domb-ody", ["botName"] = "Notes", ["userId"] = "random" };
        var accepted = await SampleAsync(HttpMethod.Post, () => "/bots", BodyLike(good, BotFields), HttpStatusCode.Accepted, HttpStatusCode.Conflict, (body, bot) =>
        {
            Assert.Equal("meet.google.com", new Uri((string)bot["meetingUrl"]!).Host);
            Assert.True((string?)bot["status"] is "queued" || (string?)bot["status"] is "scheduled" && body["startAt"] is not null, $"{body} became {bot}");
            Assert.Equal((string?)body["userId"] ?? "root", (string?)bot["userId"]);
            AssertName(body, bot, defaultName: "NewarBots Recorder");
            Assert.True(JsonNode.DeepEquals(body["metadata"] ?? new JsonObject(), bot["metadata"]), $"{body} became {bot}");
            AssertStartTime(body, bot);
            Assert.Empty(body.Select(field => field.Key).Except(BotFields));
            return Task.CompletedTask;
        });

        Assert.InRange(accepted, 1, Bodies / 4);
    }

    [Fact]
    public async Task Ten_thousand_random_changes_cause_no_server_error_and_change_only_requested_members()
    {
        const string Meeting = "https://meet.google.com/ran-domc-han";
        var scheduled = await ScheduleAsync(Meeting);
        var good = new JsonObject { ["botName"] = "Notes", ["metadata"] = new JsonObject { ["case"] = "42" }, ["leave"] = new JsonObject { ["maxDuration"] = 600 } };
        var accepted = await SampleAsync(
            HttpMethod.Patch, () => $"/bots/{scheduled}", BodyLike(good, BotFields), HttpStatusCode.OK, HttpStatusCode.Conflict,
            (body, bot) =>
            {
                Assert.Equal((Meeting, "changes"), ((string)bot["meetingUrl"]!, (string)bot["userId"]!));
                AssertName(body, bot, defaultName: null);
                if (body["metadata"] is { } metadata)
                    Assert.True(JsonNode.DeepEquals(metadata, bot["metadata"]), $"{body} became {bot}");
                AssertStartTime(body, bot);
                Assert.Empty(body.Select(field => field.Key).Except(["botName", "leave", "meetingUrl", "metadata", "startAt"]));
                return Task.CompletedTask;
            },
            // The bot was changed to start now, so the next changes need another scheduled bot.
            async () => scheduled = await ScheduleAsync(Meeting));

        Assert.InRange(accepted, 1, Bodies / 2);

        async Task<string> ScheduleAsync(string meetingUrl)
        {
            var body = new JsonObject { ["meetingUrl"] = meetingUrl, ["userId"] = "changes", ["startAt"] = TimeProvider.System.GetUtcNow().AddDays(20) };
            var (status, bot) = await Manager.PostAsync("/bots", body.ToJsonString());
            Assert.True(status is HttpStatusCode.Accepted, $"{bot}");
            return (string)bot!["id"]!;
        }
    }

    [Fact]
    public async Task Ten_thousand_random_bodies_cause_no_server_error_and_create_only_requested_keys()
    {
        string[] fields = ["name", "userId", "role"];
        var good = new JsonObject { ["name"] = "Notes", ["userId"] = "random", ["role"] = "user" };
        var accepted = await SampleAsync(HttpMethod.Post, () => "/keys", BodyLike(good, fields), HttpStatusCode.Created, HttpStatusCode.BadRequest, async (body, key) =>
        {
            Assert.Equal((string?)body["name"], (string?)key["name"]);
            Assert.Equal((string?)body["userId"] ?? "default", (string?)key["userId"]);
            Assert.Equal((string?)body["role"] ?? "user", (string?)key["role"]);
            Assert.Empty(body.Select(field => field.Key).Except(fields));
            await DeleteAsync($"/keys/{key["id"]}");
        });

        Assert.InRange(accepted, 1, Bodies / 2);
        Assert.Single((await Manager.GetAsync("/keys")).Body!["items"]!.AsArray());
    }

    [Fact]
    public async Task Ten_thousand_random_bodies_cause_no_server_error_and_create_only_requested_webhooks()
    {
        string[] fields = ["url", "events", "description", "userId"];
        var good = new JsonObject { ["url"] = "https://hooks.example/newarbots", ["events"] = new JsonArray("bot.failed"), ["userId"] = "random" };
        var accepted = await SampleAsync(HttpMethod.Post, () => "/webhooks", BodyLike(good, fields), HttpStatusCode.Created, HttpStatusCode.BadRequest, async (body, webhook) =>
        {
            Assert.Equal(new Uri((string)body["url"]!), new Uri((string)webhook["url"]!));
            Assert.Equal("https", new Uri((string)webhook["url"]!).Scheme);
            Assert.Equal((string?)body["description"], (string?)webhook["description"]);
            Assert.Equal((string?)body["userId"] ?? "root", (string?)webhook["userId"]);
            Assert.Empty(body.Select(field => field.Key).Except(fields));
            await DeleteAsync($"/webhooks/{webhook["id"]}");
        });

        Assert.InRange(accepted, 1, Bodies / 2);
        Assert.Empty((await Manager.GetAsync("/webhooks")).Body!["items"]!.AsArray());
    }

    /// <summary>Random bytes, random JSON, a valid request with some random fields, or one with some damaged bytes.</summary>
    private static Gen<byte[]> BodyLike(JsonObject good, string[] fields)
    {
        string[] all = [.. fields, .. ForeignFields];
        var change = Gen.Int[0, all.Length - 1].SelectMany(field => (all[field] is "startAt" ? Gen.OneOf(Time, Node) : Node).Select(value => (Field: all[field], Value: value)));
        var nearlyValid = change.Array[0, 3].Select(changes =>
        {
            var body = good.DeepClone().AsObject();
            foreach (var (field, value) in changes)
                body[field] = value?.DeepClone();
            return Encoding.UTF8.GetBytes(body.ToJsonString());
        });
        var damaged = Gen.Select(nearlyValid, Gen.Select(Gen.Int[0, 200], Gen.Byte).Array[1, 5]).Select((body, changes) =>
        {
            foreach (var (place, value) in changes)
                body[place % body.Length] = value;
            return body;
        });
        return Gen.OneOf(Gen.Byte.Array[0, 300], Node.Select(node => Encoding.UTF8.GetBytes(node?.ToJsonString() ?? "null")), nearlyValid, damaged);
    }

    /// <summary>Sends each body. Every response has the status <paramref name="success"/>, 400 or <paramref name="conflict"/>.</summary>
    /// <returns>The number of accepted bodies.</returns>
    private async Task<int> SampleAsync(
        HttpMethod method, Func<string> path, Gen<byte[]> bodies, HttpStatusCode success, HttpStatusCode conflict,
        Func<JsonObject, JsonObject, Task> check, Func<Task>? onConflict = null)
    {
        var accepted = 0;
        await bodies.SampleAsync(
            async body =>
            {
                using var request = new HttpRequestMessage(method, path()) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using var response = await Manager.Api.SendAsync(request);
                var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
                if (response.StatusCode == success)
                {
                    Interlocked.Increment(ref accepted);
                    await check(JsonNode.Parse(body)!.AsObject(), answer.AsObject());
                    return;
                }

                Assert.True(response.StatusCode is HttpStatusCode.BadRequest || response.StatusCode == conflict, $"{answer}");
                Assert.StartsWith("urn:newarbots:problem:", (string?)answer["type"], StringComparison.Ordinal);
                if (response.StatusCode is not HttpStatusCode.BadRequest && onConflict is not null)
                    await onConflict();
            },
            iter: Bodies,
            threads: 2);

        Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync("/health")).Status);
        Assert.InRange(Manager.Megabytes, 1, MaxMegabytes);
        Assert.DoesNotContain("unhandled exception", Manager.Output, StringComparison.Ordinal);
        return accepted;
    }

    private static void AssertName(JsonObject body, JsonObject bot, string? defaultName)
    {
        if (((string?)body["botName"])?.Trim() is { } requested)
            Assert.Equal(requested, (string?)bot["botName"]);
        else if (defaultName is not null)
            Assert.Equal(defaultName, (string?)bot["botName"]);
        Assert.DoesNotContain(((string?)bot["botName"])!, char.IsControl);
    }

    private static void AssertStartTime(JsonObject body, JsonObject bot)
    {
        if (body["startAt"] is { } startAt)
            Assert.True(Matches((DateTimeOffset)startAt, (DateTimeOffset)bot["startAt"]!), $"{body} became {bot}");

        // A start time in the past becomes the current time.
        static bool Matches(DateTimeOffset requested, DateTimeOffset shown) => shown == requested || requested < shown && shown <= TimeProvider.System.GetUtcNow();
    }

    private async Task DeleteAsync(string path)
    {
        using var deleted = await Manager.Api.DeleteAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }
}
