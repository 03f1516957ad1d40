using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using NewarBots.Tests.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Mcp;

/// <summary>The SDK's own client uses a real manager with keys.</summary>
public sealed class BotToolsTests(KeyedManager keyed) : IClassFixture<KeyedManager>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Assistant_finds_the_tools_and_what_they_do()
    {
        await using var client = await ConnectAsync(keyed.Anna);

        var tools = await client.ListToolsAsync(cancellationToken: Cancellation);

        Assert.Equal(
            ["get_bot", "get_manifest", "get_participants", "get_transcript", "list_bots", "send_bot", "stop_bot"], tools.Select(tool => tool.Name).Order(StringComparer.Ordinal));
        Assert.All(tools, tool => Assert.NotEmpty(tool.Description));
        Assert.Equal(
            ["get_bot", "get_manifest", "get_participants", "get_transcript", "list_bots"],
            tools.Where(tool => tool.ProtocolTool.Annotations?.ReadOnlyHint is true).Select(tool => tool.Name).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(tools, tool => tool.JsonSchema.ToString().Contains("\"user\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Assistant_sends_a_bot_looks_at_it_finds_it_and_stops_it()
    {
        await using var client = await ConnectAsync(keyed.Anna);

        var sent = await CallAsync(client, "send_bot", new()
        {
            ["meetingUrl"] = keyed.Manager.Rehearsal("duration=30"),
            ["botName"] = "Assistant's bot",
            ["maxDuration"] = 600,
            ["metadata"] = new Dictionary<string, string> { ["case"] = "mcp" },
        });
        var id = (string)sent["id"]!;
        Assert.Equal(("queued", "anna", 600), ((string?)sent["status"], (string?)sent["userId"], (double)sent["leave"]!["maxDuration"]!));

        var listed = await CallAsync(client, "list_bots", new()
        {
            ["q"] = "ASSISTANT",
            ["status"] = new[] { "queued", "recording" },
            ["metadata"] = new Dictionary<string, string> { ["case"] = "mcp" },
        });
        Assert.Equal((id, 1), ((string?)Assert.Single(listed["items"]!.AsArray())!["id"], (int)listed["total"]!));
        Assert.Equal("cancelled", (string?)(await CallAsync(client, "stop_bot", new() { ["id"] = id }))["status"]);
        Assert.Equal("cancelled", (string?)(await CallAsync(client, "get_bot", new() { ["id"] = id }))["status"]);
        Assert.Contains("no recording", await ErrorAsync(client, "get_manifest", new() { ["id"] = id }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assistant_reads_what_was_recorded()
    {
        var id = (await PlacedBots.RecordedAsync(keyed.Host, "Read by an assistant")).ToString();
        await using var client = await ConnectAsync(keyed.Admin);

        var manifest = await CallAsync(client, "get_manifest", new() { ["id"] = id });
        var (_, whole, _) = await keyed.AskAsync(keyed.Admin, "GET", $"/bots/{id}/manifest");

        Assert.Equal(id, (string?)manifest["sessionId"]);
        Assert.Equal(whole!["speakers"]!.ToJsonString(), manifest["speakers"]!.ToJsonString());
        Assert.Empty(manifest["chunks"]!.AsArray());
        Assert.Equal(whole.ToJsonString(), (await CallAsync(client, "get_manifest", new() { ["id"] = id, ["chunks"] = true })).ToJsonString());
        Assert.NotNull((await CallAsync(client, "get_participants", new() { ["id"] = id }))["items"]);
    }

    [Fact]
    public async Task Assistant_reads_the_transcript()
    {
        var id = (await PlacedBots.TranscribedAsync(keyed.Host, "Transcribed")).ToString();
        await using var client = await ConnectAsync(keyed.Admin);

        var text = await client.CallToolAsync("get_transcript", new Dictionary<string, object?> { ["id"] = id }, cancellationToken: Cancellation);
        Assert.Equal("[00:00:01] Transcribed: Good morning.\n", TextOf(text));
        Assert.Equal("Good morning.", (string?)(await CallAsync(client, "get_transcript", new() { ["id"] = id, ["format"] = "json" }))["segments"]![0]!["text"]);
        Assert.Contains("must be one of", await ErrorAsync(client, "get_transcript", new() { ["id"] = id, ["format"] = "pdf" }), StringComparison.Ordinal);
        var silent = (await PlacedBots.RecordedAsync(keyed.Host, "Not transcribed")).ToString();
        Assert.Contains("transcript", await ErrorAsync(client, "get_transcript", new() { ["id"] = silent }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assistant_has_the_rights_of_its_key_and_is_told_what_to_correct()
    {
        var annas = await keyed.SendBotAsync(keyed.Anna);
        await using var client = await ConnectAsync(keyed.Bert);

        foreach (var tool in (string[])["get_bot", "stop_bot", "get_manifest", "get_participants", "get_transcript"])
        {
            Assert.Contains("does not exist", await ErrorAsync(client, tool, new() { ["id"] = annas }), StringComparison.Ordinal);
            Assert.Contains("does not exist", await ErrorAsync(client, tool, new() { ["id"] = "../" }), StringComparison.Ordinal);
        }

        Assert.Equal(0, (int)(await CallAsync(client, "list_bots", new() { ["q"] = annas }))["total"]!);
        Assert.Contains("must be bert", await ErrorAsync(client, "send_bot", new() { ["meetingUrl"] = keyed.Manager.Rehearsal("duration=31"), ["userId"] = "anna" }), StringComparison.Ordinal);
        Assert.Contains("status must be one of", await ErrorAsync(client, "list_bots", new() { ["status"] = new[] { "asleep" } }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_key_no_assistant_gets_in() =>
        Assert.Contains("401", (await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(key: null))).ToString(), StringComparison.Ordinal);

    private Task<McpClient> ConnectAsync(string? key) => McpClient.CreateAsync(
        new HttpClientTransport(new()
        {
            Endpoint = new(keyed.Manager.Api.BaseAddress!, "/mcp"),
            TransportMode = HttpTransportMode.StreamableHttp,
            AdditionalHeaders = key is null ? null : new Dictionary<string, string> { ["X-API-Key"] = key },
        }),
        cancellationToken: Cancellation);

    private static async Task<JsonNode> CallAsync(McpClient client, string tool, Dictionary<string, object?> arguments)
    {
        var result = await client.CallToolAsync(tool, arguments, cancellationToken: Cancellation);
        Assert.True(result.IsError is not true, TextOf(result));
        return JsonNode.Parse(TextOf(result))!;
    }

    private static async Task<string> ErrorAsync(McpClient client, string tool, Dictionary<string, object?> arguments)
    {
        var result = await client.CallToolAsync(tool, arguments, cancellationToken: Cancellation);
        Assert.True(result.IsError, TextOf(result));
        return TextOf(result);
    }

    private static string TextOf(CallToolResult result) => Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;
}
