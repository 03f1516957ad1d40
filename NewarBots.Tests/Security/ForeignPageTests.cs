using System.Net;
using System.Text.Json.Nodes;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>A page of another site, open in a user's browser, cannot use the API.</summary>
public sealed class ForeignPageTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private const string Valid = """{"meetingUrl": "https://meet.google.com/for-eign-pag", "userId": "foreign"}""";

    public static MatrixTheoryData<string, string?> PathsAndContentTypes { get; } = new(
        ["/bots", "/keys", "/webhooks"], ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", null]);

    private ManagerProcess Manager => queueing.Manager;

    [Theory]
    [MemberData(nameof(PathsAndContentTypes))]
    public async Task Content_types_that_a_page_can_send_without_preflight_are_rejected(string path, string? contentType)
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
    public async Task Page_of_another_site_cannot_send_or_stop_a_bot(string header, string value)
    {
        var id = await Manager.RecordAsync("https://meet.google.com/stp-page-abc", userId: $"stop-{Math.Abs(StringComparer.Ordinal.GetHashCode(value))}");

        Assert.Equal((HttpStatusCode.Forbidden, "urn:newarbots:problem:cross-site-request"), StatusAndType(await Manager.PostAsync("/bots", Valid, (header, value))));
        Assert.Equal((HttpStatusCode.Forbidden, "urn:newarbots:problem:cross-site-request"), StatusAndType(await Manager.PostAsync($"/bots/{id}/stop", null, (header, value))));
        Assert.Equal("queued", (string?)(await Manager.GetAsync($"/bots/{id}")).Body!["status"]);
    }

    [Theory]
    [InlineData("/bots", "no-cors", "empty", HttpStatusCode.Forbidden)]
    [InlineData("/bots/events", "cors", "empty", HttpStatusCode.Forbidden)]
    [InlineData("/bots/0199aaaabbbbccccddddeeeeffff0001/recording", "no-cors", "audio", HttpStatusCode.Forbidden)]
    [InlineData("/", "navigate", "iframe", HttpStatusCode.Forbidden)]
    [InlineData("/", "navigate", "document", HttpStatusCode.OK)]
    public async Task Page_of_another_site_can_only_link_to_the_manager(string path, string mode, string destination, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        request.Headers.Add("Sec-Fetch-Mode", mode);
        request.Headers.Add("Sec-Fetch-Dest", destination);
        using var response = await Manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(expected, response.StatusCode);
    }

    private static (HttpStatusCode Status, string? Type) StatusAndType((HttpStatusCode Status, JsonNode? Body) answer) => (answer.Status, (string?)answer.Body?["type"]);
}
