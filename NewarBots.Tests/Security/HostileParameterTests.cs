using System.Net;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Sends typical attacks in every parameter of every endpoint in the OpenAPI document.</summary>
public sealed class HostileParameterTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private const string Secret = "SECRET-THAT-NO-RESPONSE-CONTAINS";

    private static readonly string[] Hostile =
    [
        "../secret.txt", "../../secret.txt", "../../../secret.txt", "..%2fsecret.txt", "..%2f..%2fsecret.txt", "..%2f..%2f..%2fsecret.txt",
        "%2e%2e%2f%2e%2e%2fsecret.txt", "%2e%2e/%2e%2e/secret.txt", "..%5c..%5csecret.txt", "..;/secret.txt", "....//secret.txt", "%252e%252e%252fsecret.txt",
        "..%c0%af..%c0%afsecret.txt", "%2fetc%2fpasswd", "/etc/passwd", "file:%2f%2f%2fetc%2fpasswd", "%2fproc%2fself%2fenviron", ".", "..", "secret.txt%00.ogg",
        "%0d%0aX-Injected:%20yes", "%0aFLUSHALL%0a", "*", "bot:*", "newarbots:bots", "%27%20OR%201=1--", "$%7bjndi:ldap:%2f%2f127.0.0.1%7d", "%7b%7b7*7%7d%7d",
        "%3Cscript%3Ealert(1)%3C%2fscript%3E", "-1", "0", "2147483648", "99999999999999999999999999", "1e9", "NaN", "%d9%a3", "%ed%a0%80", "%ff%fe", "%20", "",
        "true%20", "%f0%9f%92%a9", new string('a', 4_000),
    ];

    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public async Task Hostile_parameters_neither_reach_other_files_nor_cause_errors()
    {
        foreach (var folder in (string[])["", "recordings", "recordings/temp", "recordings/final", "recordings/final/user_hostile"])
        {
            Directory.CreateDirectory(Path.Combine(Manager.Storage, folder));
            await File.WriteAllTextAsync(Path.Combine(Manager.Storage, folder, "secret.txt"), Secret);
        }

        var ids = new Dictionary<string, string>
        {
            ["bots"] = await Manager.RecordAsync("https://meet.google.com/hos-tile-par", userId: "hostile"),
            ["webhooks"] = (string)(await Manager.PostAsync("/webhooks", """{"url": "https://hooks.example/newarbots"}""")).Body!["id"]!,
            ["keys"] = "1f0c3b5a7d92",
        };
        var document = (await Manager.GetAsync("/openapi/v1.json")).Body!;
        var sent = 0;
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject().Where(operation => operation.Value?["responses"] is not null))
            {
                foreach (var parameter in operation!["parameters"]?.AsArray() ?? [])
                {
                    foreach (var value in Hostile)
                    {
                        await SendAsync(method, path, (string)parameter!["name"]!, (string)parameter["in"]!, value, ids.GetValueOrDefault(path.Split('/')[1]), operation);
                        sent++;
                    }
                }
            }
        }

        Assert.True(sent > 500, $"Only {sent} requests were sent.");
        Assert.Equal("queued", (string?)(await Manager.GetAsync($"/bots/{ids["bots"]}")).Body!["status"]);
        Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync($"/webhooks/{ids["webhooks"]}")).Status);
        Assert.Equal(Secret, await File.ReadAllTextAsync(Path.Combine(Manager.Storage, "secret.txt")));
        Assert.DoesNotContain("unhandled exception", Manager.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/page/{value}")]
    [InlineData("/page/bots/{value}/waveform")]
    [InlineData("/page/bots/{value}/pictures/0")]
    [InlineData("/page/bots/{id}/pictures/{value}")]
    [InlineData("/rehearsal/{value}")]
    [InlineData("/rehearsal/assets/{value}")]
    [InlineData("/scalar/{value}")]
    [InlineData("/openapi/{value}.json")]
    public async Task Hostile_paths_of_undocumented_endpoints_neither_reach_other_files_nor_cause_errors(string path)
    {
        var denied = await PlacedBots.DeniedAsync(queueing);
        var folder = Directory.GetParent(new StorageLayout(Manager.Storage).Evidence(UserId.Parse("anna"), denied))!;
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "secret.txt"), Secret);
        foreach (var value in Hostile)
            await SendAsync("get", path, "value", "path", value, denied.ToString(), operation: null);

        Assert.DoesNotContain("unhandled exception", Manager.Output, StringComparison.Ordinal);
    }

    /// <param name="method">The HTTP method in lower case.</param>
    /// <param name="path">The path with its parameters in braces.</param>
    /// <param name="name">The hostile parameter.</param>
    /// <param name="place">The parameter's place: path, query or header.</param>
    /// <param name="value">The parameter's value.</param>
    /// <param name="id">An existing id for the path, if another parameter is the hostile one.</param>
    /// <param name="operation">The documented operation, if any.</param>
    private async Task SendAsync(string method, string path, string name, string place, string value, string? id, JsonNode? operation)
    {
        if (place is "path")
            path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        path = path.Replace("{id}", id, StringComparison.Ordinal);
        if (place is "query")
            path += $"?{name}={value}";
        // Sent as written: by default, the client would remove dot segments and change the escapes.
        var uri = new Uri($"http://127.0.0.1:{Manager.Port}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new(method.ToUpperInvariant()), uri);
        if (place is "header")
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        var message = $"{method} {path} {(place is "header" ? $"{name}: {value}" : "")} gave {response}";
        var status = (int)response.StatusCode;
        // The container engine is unavailable; nothing else may fail.
        Assert.True(status < 500 || status == 503 && operation?["responses"]!["503"] is not null, message);
        Assert.False(response.Headers.Contains("X-Injected"), message);
        if (response.Content.Headers.ContentType?.MediaType is "text/event-stream")
            return;
        var body = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain(Secret, body, StringComparison.Ordinal);
        if (response.Content.Headers.ContentType?.MediaType is "text/html")
            Assert.DoesNotContain("<script>alert", body, StringComparison.OrdinalIgnoreCase);
    }
}
