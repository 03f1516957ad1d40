using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using NewarBots.Tests.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.OpenApi;

/// <summary>An admin calls every operation using only the OpenAPI document and its examples.</summary>
public sealed class DescribedSuccessTests(KeyedManager keyed) : IClassFixture<KeyedManager>
{
    /// <summary>Need a container engine, a speech server and a live bot; WholeLifeTests, TranscriptLifeTests and PeopleLifeTests cover them.</summary>
    private static readonly string[] NotHere = ["DeleteBot", "MakeTranscript", "GetScreenshot"];

    private readonly HashSet<string> _done = [];
    private JsonNode _document = null!;

    [Fact]
    public async Task Every_operation_succeeds_with_its_example_and_its_response_matches_the_schema()
    {
        _document = (await keyed.AskAsync(keyed.Admin, "GET", "/openapi/v1.json")).Body!;
        var recorded = (await PlacedBots.RecordedAsync(keyed.Host, "Described")).ToString();
        var refused = (await PlacedBots.DeniedAsync(keyed.Host)).ToString();
        var unfinalized = (await PlacedBots.UnfinalizedAsync(keyed.Host)).Id.ToString();
        var transcribed = (await PlacedBots.TranscribedAsync(keyed.Host, "Described")).ToString();
        // The example is a rehearsal on the default port.
        var queued = await CallAsync("CreateBot", change: body => body["meetingUrl"] = keyed.Manager.Rehearsal("duration=20"));
        var scheduled = await CallAsync("CreateBot", change: body =>
        {
            body["meetingUrl"] = keyed.Manager.Rehearsal("duration=21");
            body["startAt"] = TimeProvider.System.GetUtcNow().AddDays(1).ToString("O");
        });
        var webhook = await CallAsync("CreateWebhook");
        var delivery = await CallAsync("TestWebhook", webhook);
        var key = await CallAsync("AddKey");

        foreach (var (name, id) in ((string, string?)[])[("ChangeBot", scheduled), ("StopBot", queued), ("GetEvidence", refused), ("FinalizeBot", unfinalized), ("GetTranscript", transcribed)])
            await CallAsync(name, id);
        foreach (var (name, path, _) in Operations().OrderBy(operation => operation.Method is "delete"))
        {
            if (NotHere.Contains(name) || _done.Contains(name))
                continue;
            await CallAsync(name, path.Split('/')[1] switch { "bots" => recorded, "webhooks" => webhook, _ => key }, delivery);
        }

        Assert.Equal(Operations().Select(operation => operation.Name).Except(NotHere).Order(), _done.Order());
    }

    [Fact]
    public async Task Every_example_matches_its_schema()
    {
        _document = (await keyed.AskAsync(keyed.Admin, "GET", "/openapi/v1.json")).Body!;
        foreach (var (name, _, _) in Operations())
        {
            var operation = Operation(name);
            var contents = operation["responses"]!.AsObject().Select(response => response.Value!["content"])
                .Append(operation["requestBody"]?["content"])
                .SelectMany(content => content?.AsObject().Select(type => type.Value!) ?? []);
            foreach (var content in contents)
            {
                var examples = content["examples"]?.AsObject().Select(example => example.Value!["value"]) ?? [content["example"]];
                foreach (var example in examples.OfType<JsonNode>())
                    AssertIs(content["schema"]!, example, name);
            }

            foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
            {
                if (parameter!["example"] is { } example)
                    AssertIs(parameter["schema"]!, example, name);
            }
        }
    }

    [Fact]
    public async Task Faults_against_the_schema_are_found()
    {
        _document = (await keyed.AskAsync(keyed.Admin, "GET", "/openapi/v1.json")).Body!;
        var content = Operation("GetBot")["responses"]!["200"]!["content"]!["application/json"]!;
        foreach (var (member, value) in ((string, JsonNode?)[])
            [("status", null), ("status", "asleep"), ("chunks", -1), ("chunks", 1.5), ("createdAt", "today"), ("recording", new JsonObject()), ("color", "red")])
        {
            var bot = content["example"]!.DeepClone().AsObject();
            if (value is null)
                bot.Remove(member);
            else
                bot[member] = value;

            Assert.NotEmpty(JsonShape.Errors(_document, content["schema"]!, bot));
        }
    }

    private IEnumerable<(string Name, string Path, string Method)> Operations() =>
        from path in _document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where operation.Value is JsonObject described && described.ContainsKey("operationId")
        select ((string)operation.Value!["operationId"]!, path.Key, operation.Key);

    private JsonNode Operation(string name)
    {
        var (_, path, method) = Operations().Single(operation => operation.Name == name);
        return _document["paths"]![path]![method]!;
    }

    /// <returns>The id in the response, if any.</returns>
    private async Task<string?> CallAsync(string name, string? id = null, string? delivery = null, Action<JsonNode>? change = null)
    {
        var (_, path, method) = Operations().Single(operation => operation.Name == name);
        var address = path.Replace("{id}", id, StringComparison.Ordinal).Replace("{deliveryId}", delivery, StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new(method.ToUpperInvariant()), address);
        request.Headers.Add("X-API-Key", keyed.Admin);
        if (Operation(name)["requestBody"]?["content"]?["application/json"]?["example"]?.DeepClone() is { } body)
        {
            change?.Invoke(body);
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        using var response = await keyed.Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var contentType = response.Content.Headers.ContentType?.MediaType;
        var answer = contentType?.EndsWith("json", StringComparison.Ordinal) is true
            ? JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            : null;

        Assert.True(response.IsSuccessStatusCode, $"{name} gave {response} {answer}");
        var described = Operation(name)["responses"]![$"{(int)response.StatusCode}"]!;
        Assert.Equal(contentType is null, described["content"] is null);
        if (contentType is not null)
            Assert.True(described["content"]![contentType] is not null, $"{name} gave {response}");
        if (answer is not null)
            AssertIs(described["content"]![contentType!]!["schema"]!, answer, name);
        _done.Add(name);
        return (answer as JsonObject)?["id"]?.ToString();
    }

    private void AssertIs(JsonNode schema, JsonNode? value, string name) =>
        Assert.True(JsonShape.Errors(_document, schema, value) is [], $"{name}: {string.Join("; ", JsonShape.Errors(_document, schema, value))}");
}
