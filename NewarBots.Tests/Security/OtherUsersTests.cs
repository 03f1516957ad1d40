using System.Net;
using NewarBots.Tests.Access;

namespace NewarBots.Tests.Security;

/// <summary>Calls every documented endpoint that takes an id with the id of another user's bot or webhook.</summary>
public sealed class OtherUsersTests(KeyedManager keyed) : IClassFixture<KeyedManager>
{
    private const string UnknownId = "0199aaaabbbbccccddddeeeeffff0001";

    [Fact]
    public async Task Another_users_bot_is_not_found_in_any_endpoint()
    {
        var annasBot = await keyed.SendBotAsync(keyed.Anna);

        await AssertNotFoundAsync("/bots/{id}", annasBot, atLeast: 8);
    }

    [Fact]
    public async Task Another_users_webhook_is_not_found_in_any_endpoint()
    {
        const string Url = "https://hooks.example/newarbots";
        var annasWebhook = (string)(await keyed.AskAsync(keyed.Anna, "POST", "/webhooks", $$"""{"url": "{{Url}}"}""")).Body!["id"]!;
        var sent = (string)(await keyed.AskAsync(keyed.Anna, "POST", $"/webhooks/{annasWebhook}/test")).Body!["id"]!;

        await AssertNotFoundAsync("/webhooks/{id}", annasWebhook, atLeast: 6, deliveryId: sent);
        Assert.Empty((await keyed.AskAsync(keyed.Bert, "GET", "/webhooks")).Body!["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.BadRequest, (await keyed.AskAsync(keyed.Bert, "GET", "/webhooks?userId=anna")).Status);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await keyed.AskAsync(keyed.Bert, "POST", "/webhooks", $$"""{"url": "{{Url}}", "userId": "anna"}""")).Status);
        Assert.Equal(annasWebhook, (string?)Assert.Single((await keyed.AskAsync(keyed.Anna, "GET", "/webhooks")).Body!["items"]!.AsArray())!["id"]);
    }

    /// <summary>Bert calls each documented endpoint below the path with Anna's id and with an unknown id: the responses must not differ.</summary>
    private async Task AssertNotFoundAsync(string below, string annasId, int atLeast, string? deliveryId = null)
    {
        var annasPath = below.Replace("{id}", annasId, StringComparison.Ordinal);
        var before = (await keyed.AskAsync(keyed.Anna, "GET", annasPath)).Body!.ToJsonString();
        var document = (await keyed.AskAsync(keyed.Admin, "GET", "/openapi/v1.json")).Body!;
        var calls = 0;
        foreach (var (path, operations) in document["paths"]!.AsObject().Where(path => path.Key.StartsWith(below, StringComparison.Ordinal)))
        {
            foreach (var (method, operation) in operations!.AsObject().Where(operation => operation.Value?["responses"] is not null))
            {
                var body = operation!["requestBody"]?["content"]?["application/json"]?["example"]?.ToJsonString();
                var onAnnas = await CallAsync(annasId);
                var onUnknown = await CallAsync(UnknownId);

                Assert.True(onAnnas.Status is HttpStatusCode.NotFound, $"{method} {path}: {onAnnas.Body}");
                Assert.Equal(Comparable(onUnknown), Comparable(onAnnas));
                calls++;

                Task<Answer> CallAsync(string id) => keyed.AskAsync(
                    keyed.Bert, method.ToUpperInvariant(), path.Replace("{id}", id, StringComparison.Ordinal).Replace("{deliveryId}", deliveryId, StringComparison.Ordinal), body);
            }
        }

        Assert.InRange(calls, atLeast, int.MaxValue);
        Assert.Equal(before, (await keyed.AskAsync(keyed.Anna, "GET", annasPath)).Body!.ToJsonString());
    }

    /// <summary>The response without the members that differ for every request.</summary>
    private static string Comparable(Answer answer)
    {
        var body = answer.Body!.DeepClone().AsObject();
        body.Remove("traceId");
        var headers = answer.Headers.Where(header => header.Key is not "Date").OrderBy(header => header.Key, StringComparer.Ordinal);
        return $"{answer.Status} {string.Join(' ', headers)} {body.ToJsonString()}";
    }
}
