using System.Net;
using NewarBots.Tests.Access;

namespace NewarBots.Tests.Security;

/// <summary>Another user's id in every call that takes one, as the API's own description lists them.</summary>
public sealed class OtherUsersTests(KeyedManager keyed) : IClassFixture<KeyedManager>
{
    private const string Nobodys = "0199aaaabbbbccccddddeeeeffff0001";

    [Fact]
    public async Task Every_call_on_anothers_id_answers_as_on_one_that_there_never_was()
    {
        var annas = await keyed.SendBotAsync(keyed.Anna);

        await AssertNotThereAsync("/bots/{id}", annas, atLeast: 8);
    }

    [Fact]
    public async Task Every_call_on_anothers_webhook_answers_as_on_one_that_there_never_was()
    {
        const string Url = "https://hooks.example/newarbots";
        var annas = (string)(await keyed.AskAsync(keyed.Anna, "POST", "/webhooks", $$"""{"url": "{{Url}}"}""")).Body!["id"]!;
        var sent = (string)(await keyed.AskAsync(keyed.Anna, "POST", $"/webhooks/{annas}/test")).Body!["id"]!;

        await AssertNotThereAsync("/webhooks/{id}", annas, atLeast: 6, deliveryId: sent);
        Assert.Empty((await keyed.AskAsync(keyed.Bert, "GET", "/webhooks")).Body!["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.BadRequest, (await keyed.AskAsync(keyed.Bert, "GET", "/webhooks?userId=anna")).Status);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await keyed.AskAsync(keyed.Bert, "POST", "/webhooks", $$"""{"url": "{{Url}}", "userId": "anna"}""")).Status);
        Assert.Equal(annas, (string?)Assert.Single((await keyed.AskAsync(keyed.Anna, "GET", "/webhooks")).Body!["items"]!.AsArray())!["id"]);
    }

    /// <summary>Each call that the description has below the path, by Bert on what is Anna's.</summary>
    private async Task AssertNotThereAsync(string below, string annas, int atLeast, string? deliveryId = null)
    {
        var annasOwn = below.Replace("{id}", annas, StringComparison.Ordinal);
        var before = (await keyed.AskAsync(keyed.Anna, "GET", annasOwn)).Body!.ToJsonString();
        var document = (await keyed.AskAsync(keyed.Admin, "GET", "/openapi/v1.json")).Body!;
        var calls = 0;
        foreach (var (path, operations) in document["paths"]!.AsObject().Where(path => path.Key.StartsWith(below, StringComparison.Ordinal)))
        {
            foreach (var (method, operation) in operations!.AsObject().Where(operation => operation.Value?["responses"] is not null))
            {
                var body = operation!["requestBody"]?["content"]?["application/json"]?["example"]?.ToJsonString();
                var onAnnas = await AskAsync(annas);
                var onNobodys = await AskAsync(Nobodys);

                Assert.True(onAnnas.Status is HttpStatusCode.NotFound, $"{method} {path}: {onAnnas.Body}");
                Assert.Equal(Told(onNobodys), Told(onAnnas));
                calls++;

                Task<Answer> AskAsync(string id) => keyed.AskAsync(
                    keyed.Bert, method.ToUpperInvariant(), path.Replace("{id}", id, StringComparison.Ordinal).Replace("{deliveryId}", deliveryId, StringComparison.Ordinal), body);
            }
        }

        Assert.InRange(calls, atLeast, int.MaxValue);
        Assert.Equal(before, (await keyed.AskAsync(keyed.Anna, "GET", annasOwn)).Body!.ToJsonString());
    }

    /// <summary>All but what is each request's own.</summary>
    private static string Told(Answer answer)
    {
        var body = answer.Body!.DeepClone().AsObject();
        body.Remove("traceId");
        var headers = answer.Headers.Where(header => header.Key is not "Date").OrderBy(header => header.Key, StringComparer.Ordinal);
        return $"{answer.Status} {string.Join(' ', headers)} {body.ToJsonString()}";
    }
}
