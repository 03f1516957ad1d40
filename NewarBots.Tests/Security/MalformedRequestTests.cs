using System.Net;
using System.Net.Http.Headers;
using System.Text;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Malformed HTTP, and HTTP that two servers could interpret differently (request smuggling).</summary>
public sealed class MalformedRequestTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private const string Start = "POST /bots HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

    private const string SecondRequest = "GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private ManagerProcess Manager => queueing.Manager;

    [Theory]
    [InlineData(Start + "Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}")]
    [InlineData(Start + "Content-Length: 2, 30\r\n\r\n{}")]
    [InlineData(Start + "Content-Length: -2\r\n\r\n{}")]
    [InlineData(Start + "Content-Length: 99999999999999999999\r\n\r\n{}")]
    [InlineData(Start + "Content-Length : 2\r\n\r\n{}")]
    [InlineData(Start + "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")]
    [InlineData(Start + "Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n")]
    [InlineData("GET /alive HTTP/1.1\r\nHost: localhost\r\nX-Folded: a\r\n b\r\n\r\n")]
    [InlineData("GET /alive HTTP/1.1\r\nHost: localhost\r\nX-Null: a\0b\r\n\r\n")]
    [InlineData("GET /alive HTTP/1.1\r\n\r\n")]
    [InlineData("GET /alive HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere\r\n\r\n")]
    [InlineData("GET /alive HTTP/1.1\r\nHost: localhost/../x\r\n\r\n")]
    [InlineData("GET http://elsewhere.example/alive HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /bots/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")]
    [InlineData("*1\r\n$4\r\nPING\r\n")]
    public async Task Malformed_requests_are_rejected_and_the_rest_of_the_connection_is_not_read(string request)
    {
        var answer = await RawHttp.SendAsync(Manager, request + SecondRequest);

        Assert.Equal((400, 1), (answer.Status, answer.Count));
    }

    [Theory]
    [InlineData("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 400\r\n\r\n2\r\n{}\r\n0\r\n\r\n")]
    public async Task Request_with_two_body_lengths_is_rejected_and_its_connection_is_closed(string rest)
    {
        var answer = await RawHttp.SendAsync(Manager, Start + rest + SecondRequest);

        Assert.Equal((400, 1), (answer.Status, answer.Count));
        Assert.Contains("meetingUrl", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ZZ\r\n{}\r\n0\r\n\r\n")]
    [InlineData("-2\r\n{}\r\n0\r\n\r\n")]
    [InlineData("FFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n")]
    [InlineData("2\r\n{}XX0\r\n\r\n")]
    public async Task Malformed_chunked_body_is_a_bad_request(string chunks)
    {
        var answer = await RawHttp.SendAsync(Manager, $"{Start}Transfer-Encoding: chunked\r\n\r\n{chunks}{SecondRequest}");

        Assert.Equal((400, 1), (answer.Status, answer.Count));
        Assert.Contains("urn:newarbots:problem:invalid-request", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("unhandled exception", Manager.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"a\xff\": 1}")]
    [InlineData("{\"\\ud800\": 1}")]
    [InlineData("{\"\\ud800\": 1, \"\\ud800\": 2}")]
    [InlineData("{\"meetingUrl\": \"https://meet.google.com/abc-defg-hij\", \"metadata\": {\"\\udc00\": \"x\"}}")]
    [InlineData("{\"leave\": {\"\xc3\": 1}}")]
    public async Task Field_name_that_is_not_valid_text_is_a_bad_request(string body)
    {
        var answer = await RawHttp.SendAsync(Manager, $"{Start}Connection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.Equal(400, answer.Status);
    }

    [Fact]
    public async Task Address_and_headers_have_length_limits()
    {
        const string Get = "GET /alive HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";

        Assert.Equal(414, (await RawHttp.SendAsync(Manager, $"GET /{new string('a', 10_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n")).Status);
        Assert.Equal(431, (await RawHttp.SendAsync(Manager, $"{Get}{string.Concat(Enumerable.Range(0, 200).Select(number => $"X-{number}: a\r\n"))}\r\n")).Status);
        Assert.Equal(431, (await RawHttp.SendAsync(Manager, $"{Get}X: {new string('a', 40_000)}\r\n\r\n")).Status);
        Assert.Equal(200, (await RawHttp.SendAsync(Manager, $"{Get}X: {new string('a', 20_000)}\r\n\r\n")).Status);
    }

    [Theory]
    [InlineData("TRACE")]
    [InlineData("TRACK")]
    [InlineData("PUT")]
    [InlineData("PROPFIND")]
    [InlineData("DEBUG")]
    public async Task Unsupported_methods_are_rejected_and_not_echoed(string method)
    {
        foreach (var path in (string[])["/", "/bots", "/bots/0199aaaabbbbccccddddeeeeffff0001", "/alive", "/rehearsal/"])
        {
            var answer = await RawHttp.SendAsync(Manager, $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Secret: echo-me\r\n\r\n");

            Assert.True(answer.Status is 405, $"{method} {path}: {answer.Text}");
            Assert.DoesNotContain("echo-me", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Manager_is_not_an_open_proxy()
    {
        Assert.InRange((await RawHttp.SendAsync(Manager, "CONNECT 127.0.0.1:6379 HTTP/1.1\r\nHost: 127.0.0.1:6379\r\nConnection: close\r\n\r\n")).Status, 400, 499);
        Assert.InRange((await RawHttp.SendAsync(Manager, "GET http://127.0.0.1:6379/ HTTP/1.1\r\nHost: 127.0.0.1:6379\r\nConnection: close\r\n\r\n")).Status, 200, 499);
        Assert.InRange((await RawHttp.SendAsync(Manager, "GET gopher://127.0.0.1:6379/_PING HTTP/1.1\r\nHost: 127.0.0.1:6379\r\nConnection: close\r\n\r\n")).Status, 400, 499);
    }

    [Fact]
    public async Task Method_override_in_a_header_or_the_address_is_ignored()
    {
        var id = await Manager.RecordAsync("https://meet.google.com/met-hodo-vrr");
        foreach (var header in (string[])["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
            await Manager.PostAsync($"/bots/{id}?_method=DELETE", json: null, (header, "DELETE"));

        Assert.Equal("queued", (string?)(await Manager.GetAsync($"/bots/{id}")).Body!["status"]);
    }

    [Fact]
    public async Task Compressed_deeply_nested_or_wrongly_encoded_body_is_rejected()
    {
        var valid = """{"meetingUrl": "https://meet.google.com/abc-defg-hij"}""";
        byte[][] bodies =
        [
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("[", 60_000))),
            Encoding.UTF8.GetBytes($"{{\"metadata\":{string.Concat(Enumerable.Repeat("{\"a\":", 12_000))}"),
            Encoding.Unicode.GetBytes(valid),
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
            [.. "{\"meetingUrl\": \"https://meet.google.com/abc-defg-hij\", \"botName\": \""u8, 0xff, 0xfe, .. "\"}"u8],
        ];
        foreach (var body in bodies)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            content.Headers.ContentEncoding.Add("gzip");
            using var response = await Manager.Api.PostAsync(new Uri("/bots", UriKind.Relative), content);

            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Theory]
    [InlineData(255, HttpStatusCode.Accepted)]
    [InlineData(256, HttpStatusCode.BadRequest)]
    [InlineData(16_000, HttpStatusCode.BadRequest)]
    public async Task Idempotency_key_has_a_length_limit(int length, HttpStatusCode expected)
    {
        var (status, _) = await Manager.PostAsync(
            "/bots", """{"meetingUrl": "https://meet.google.com/key-leng-thx", "userId": "long-key"}""", ("Idempotency-Key", new string('k', length)));

        Assert.Equal(expected, status);
    }
}
