using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Bodies that nobody thought of.</summary>
public sealed class RandomBodyTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private const int Bodies = 10_000;
    private const int MaxMegabytes = 400;

    private static readonly string[] Fields = ["meetingUrl", "botName", "userId", "leave", "metadata", "meetingurl", "id", "status", "__proto__"];

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

    /// <summary>A good request in which some fields are anything.</summary>
    private static readonly Gen<byte[]> NearlyValid = Gen.Select(Gen.Int[0, Fields.Length - 1].Select(field => Fields[field]), Node).Array[0, 3].Select(changes =>
    {
        var body = new JsonObject { ["meetingUrl"] = "https://meet.google.com/ran-domb-ody", ["botName"] = "Notes", ["userId"] = "random" };
        foreach (var (field, value) in changes)
            body[field] = value?.DeepClone();
        return Encoding.UTF8.GetBytes(body.ToJsonString());
    });

    /// <summary>A good request with some of its bytes exchanged.</summary>
    private static readonly Gen<byte[]> Damaged = Gen.Select(NearlyValid, Gen.Select(Gen.Int[0, 200], Gen.Byte).Array[1, 5]).Select((body, changes) =>
    {
        foreach (var (place, value) in changes)
            body[place % body.Length] = value;
        return body;
    });

    private static readonly Gen<byte[]> Body = Gen.OneOf(
        Gen.Byte.Array[0, 300], Node.Select(node => Encoding.UTF8.GetBytes(node?.ToJsonString() ?? "null")), NearlyValid, Damaged);

    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Ten_thousand_random_bodies_make_no_error_of_ours_and_no_bot_that_nobody_asked_for()
    {
        var accepted = 0;
        await Body.SampleAsync(
            async body =>
            {
                using var content = new ByteArrayContent(body);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using var response = await Manager.Api.PostAsync(new Uri("/bots", UriKind.Relative), content);
                var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
                if (response.StatusCode is HttpStatusCode.Accepted)
                {
                    Interlocked.Increment(ref accepted);
                    AssertAskedFor(JsonNode.Parse(body)!.AsObject(), answer.AsObject());
                }
                else
                {
                    Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Conflict, $"{answer}");
                    Assert.StartsWith("urn:newarbots:problem:", (string?)answer["type"], StringComparison.Ordinal);
                }
            },
            iter: Bodies,
            threads: 2);

        Assert.InRange(accepted, 1, Bodies / 4);
        Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync("/health")).Status);
        Assert.InRange(Manager.Megabytes, 1, MaxMegabytes);
    }

    /// <summary>It goes to a meeting of ours, is what the body says, and knows nothing that the body may not say.</summary>
    private static void AssertAskedFor(JsonObject body, JsonObject bot)
    {
        Assert.Equal("meet.google.com", new Uri((string)bot["meetingUrl"]!).Host);
        Assert.Equal("queued", (string?)bot["status"]);
        Assert.Equal((string?)body["userId"] ?? "default", (string?)bot["userId"]);
        Assert.Equal(((string?)body["botName"])?.Trim() ?? "NewarBots Recorder", (string?)bot["botName"]);
        Assert.True(JsonNode.DeepEquals(body["metadata"] ?? new JsonObject(), bot["metadata"]), $"{body} became {bot}");
        Assert.Empty(body.Select(field => field.Key).Except(["meetingUrl", "botName", "userId", "leave", "metadata"]));
        Assert.DoesNotContain(((string?)bot["botName"])!, char.IsControl);
    }
}
