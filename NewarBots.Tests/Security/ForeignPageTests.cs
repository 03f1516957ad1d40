using System.Net;
using System.Text.Json.Nodes;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>What a web page of somebody else can do with the browser of whoever reaches the manager.</summary>
public sealed class ForeignPageTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private const string Valid = """{"meetingUrl": "https://meet.google.com/for-eign-pag", "userId": "foreign"}""";

    public static MatrixTheoryData<string, string?> Contents { get; } = new(
        ["/bots", "/keys", "/webhooks"], ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", null]);

    private ManagerProcess Manager => queueing.Manager;

    [Theory]
    [MemberData(nameof(Contents))]
    public async Task What_a_page_may_send_without_being_asked_makes_nothing(string path, string? contentType)
    {
        using var content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(Valid));
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await Manager.Api.PostAsync(new Uri(path, UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://localhost:1")]
    public async Task A_page_of_another_site_sends_and_stops_no_bot(string header, string value)
    {
        var id = await Manager.RecordAsync("https://meet.google.com/stp-page-abc", userId: $"stop-{Math.Abs(StringComparer.Ordinal.GetHashCode(value))}");

        Assert.Equal((HttpStatusCode.Forbidden, "urn:newarbots:problem:cross-site-request"), Told(await Manager.PostAsync("/bots", Valid, (header, value))));
        Assert.Equal((HttpStatusCode.Forbidden, "urn:newarbots:problem:cross-site-request"), Told(await Manager.PostAsync($"/bots/{id}/stop", null, (header, value))));
        Assert.Equal("queued", (string?)(await Manager.GetAsync($"/bots/{id}")).Body!["status"]);
    }

    [Theory]
    [InlineData("/bots", "no-cors", "empty", HttpStatusCode.Forbidden)]
    [InlineData("/bots/events", "cors", "empty", HttpStatusCode.Forbidden)]
    [InlineData("/bots/0199aaaabbbbccccddddeeeeffff0001/recording", "no-cors", "audio", HttpStatusCode.Forbidden)]
    [InlineData("/", "navigate", "iframe", HttpStatusCode.Forbidden)]
    [InlineData("/", "navigate", "document", HttpStatusCode.OK)]
    public async Task A_page_of_another_site_may_link_here_and_nothing_else(string path, string mode, string destination, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        request.Headers.Add("Sec-Fetch-Mode", mode);
        request.Headers.Add("Sec-Fetch-Dest", destination);
        using var response = await Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(expected, response.StatusCode);
    }

    private static (HttpStatusCode Status, string? Type) Told((HttpStatusCode Status, JsonNode? Body) answer) => (answer.Status, (string?)answer.Body?["type"]);
}
