using System.Net;
using System.Text.Json;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Addresses that would send a bot somewhere other than into a meeting.</summary>
public sealed class MeetingAddressTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private ManagerProcess Manager => queueing.Manager;

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[fd00:ec2::254]/latest/meta-data/")]
    [InlineData("http://metadata.google.internal/computeMetadata/v1/")]
    [InlineData("http://100.100.100.200/")]
    [InlineData("http://2852039166/")]
    [InlineData("http://0xA9FEA9FE/")]
    [InlineData("http://0251.0376.0251.0376/")]
    [InlineData("http://0xa9.0376.43518/")]
    [InlineData("http://[::ffff:a9fe:a9fe]/")]
    [InlineData("http://[::169.254.169.254]/")]
    [InlineData("http://[64:ff9b::a9fe:a9fe]/")]
    [InlineData("http://[::]:PORT/rehearsal/abc-defg-hij/../../bots")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://169.254.169.254.nip.io/")]
    [InlineData("http://localtest.me:PORT/rehearsal/abc-defg-hij")]
    [InlineData("http://localhost.:6379/rehearsal/abc-defg-hij")]
    [InlineData("http://localhost:PORT/bots")]
    [InlineData("http://localhost:PORT/rehearsal/../bots")]
    [InlineData("http://localhost:PORT/rehearsal/%2e%2e/bots")]
    [InlineData("http://localhost:PORT/rehearsal\\..\\bots")]
    [InlineData("http://localhost:6379/rehearsal/abc-defg-hij")]
    [InlineData("http://127.1:22/rehearsal/abc-defg-hij")]
    [InlineData("http://2130706433:6379/rehearsal/abc-defg-hij")]
    [InlineData("http://localhost:PORT@169.254.169.254/rehearsal/abc-defg-hij")]
    [InlineData("http://169.254.169.254#@localhost:PORT/rehearsal/abc-defg-hij")]
    [InlineData("http://169.254.169.254?@localhost:PORT/rehearsal/abc-defg-hij")]
    [InlineData("http://host.docker.internal:PORT/rehearsal/abc-defg-hij")]
    [InlineData("http://172.17.0.1:PORT/rehearsal/abc-defg-hij")]
    [InlineData("https://meet.google.com@169.254.169.254/abc-defg-hij")]
    [InlineData("https://169.254.169.254#@meet.google.com/abc-defg-hij")]
    [InlineData("https://169.254.169.254\\@meet.google.com/abc-defg-hij")]
    [InlineData("https://meet.google.com.169.254.169.254.nip.io/abc-defg-hij")]
    [InlineData("https://meet.google.com%2eevil.example/abc-defg-hij")]
    [InlineData("https://meet.google.com%00.evil.example/abc-defg-hij")]
    [InlineData("https://meet\u3002google\u3002com.evil.example/abc-defg-hij")]
    [InlineData("https://m\u0435et.google.com/abc-defg-hij")]
    [InlineData("https://meet.google.com:22/abc-defg-hij")]
    [InlineData("https://meet.google.com/linkredirect?dest=http://169.254.169.254/")]
    [InlineData("https://meet.google.com/abc-defg-hij/../linkredirect?dest=http://169.254.169.254/")]
    [InlineData("http://meet\u3002google\u3002com/linkredirect?dest=http://169.254.169.254/")]
    [InlineData("https://meet\uff0egoogle\uff61com/linkredirect?dest=http://169.254.169.254/")]
    [InlineData("https://\uff4deet.google.com/linkredirect?dest=http://169.254.169.254/")]
    [InlineData("https:\\\\meet.google.com\\abc-defg-hij")]
    [InlineData("gopher://127.0.0.1:6379/_FLUSHALL")]
    [InlineData("view-source:https://meet.google.com/abc-defg-hij")]
    [InlineData("chrome://settings")]
    [InlineData("devtools://devtools/bundled/inspector.html")]
    [InlineData("data:text/html,<script>location='http://169.254.169.254'</script>")]
    [InlineData("blob:https://meet.google.com/abc-defg-hij")]
    [InlineData("https://meet.google.com/abc-defg-hij\r\nHost: 169.254.169.254")]
    [InlineData("\\\\169.254.169.254\\share")]
    [InlineData("file:///proc/self/environ")]
    public async Task Address_that_is_not_a_meeting_is_rejected(string url)
    {
        url = url.Replace("PORT", $"{Manager.Port}", StringComparison.Ordinal);

        var (status, problem) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = url, userId = "ssrf" }));

        Assert.True(status is HttpStatusCode.BadRequest, $"{url} gave {status}: {problem}");
        Assert.NotNull(problem!["errors"]!["meetingUrl"]);
    }

    [Theory]
    [InlineData("https://MEET.google.com/adr-aaaa-aaa?next=http://169.254.169.254/", "https://meet.google.com/adr-aaaa-aaa?next=http://169.254.169.254/")]
    [InlineData("https://meet.google.com:443/adr-bbbb-bbb", "https://meet.google.com/adr-bbbb-bbb")]
    [InlineData("https://meet\u3002google\u3002com/adr-cccc-ccc", "https://meet.google.com/adr-cccc-ccc")]
    [InlineData("https://meet.google.com/x/../adr-dddd-ddd#@169.254.169.254", "https://meet.google.com/adr-dddd-ddd#@169.254.169.254")]
    public async Task Unusually_written_meeting_address_is_normalized(string written, string normalized)
    {
        var (status, bot) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = written, userId = "unusual" }));

        Assert.True(status is HttpStatusCode.Accepted, $"{bot}");
        Assert.Equal(normalized, (string?)bot!["meetingUrl"]);
    }
}
