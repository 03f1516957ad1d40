using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;

namespace NewarBots.Tests.Security;

/// <summary>Webhook addresses with which a user would reach services that only the manager's host can reach (SSRF).</summary>
public sealed class WebhookAddressTests(WebhookAddressTests.ManagerAsInProduction host) : IClassFixture<WebhookAddressTests.ManagerAsInProduction>
{
    private ManagerProcess Manager => host.Queueing.Manager;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://127.0.0.1:6379/")]
    [InlineData("https://127.1/")]
    [InlineData("https://127.127.127.127/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://0x7F000001:PORT/bots")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://017700000001/")]
    [InlineData("https://0/")]
    [InlineData("https://0.0.0.0:PORT/")]
    [InlineData("https://localhost:PORT/bots")]
    [InlineData("https://localhost.:PORT/")]
    [InlineData("https://LocalHost/")]
    [InlineData("https://any.localhost/")]
    [InlineData("https://%6c%6f%63alhost/")]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://167772161/")]
    [InlineData("https://172.16.0.1/")]
    [InlineData("https://172.17.0.1:2375/containers/json")]
    [InlineData("https://192.168.1.1/")]
    [InlineData("https://0300.0250.1.1/")]
    [InlineData("https://100.100.100.200/latest/meta-data/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://2852039166/")]
    [InlineData("https://0xA9FEA9FE/")]
    [InlineData("https://0251.0376.0251.0376/")]
    [InlineData("https://0xa9.0376.43518/")]
    [InlineData("https://[::]:PORT/")]
    [InlineData("https://[::1]:PORT/")]
    [InlineData("https://[0:0:0:0:0:0:0:1]/")]
    [InlineData("https://[::127.0.0.1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[::ffff:a9fe:a9fe]/")]
    [InlineData("https://[0:0:0:0:0:ffff:10.0.0.1]/")]
    [InlineData("https://[64:ff9b::a9fe:a9fe]/")]
    [InlineData("https://[2002:a9fe:a9fe::1]/")]
    [InlineData("https://[fe80::1]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://[fd00:ec2::254]/latest/meta-data/")]
    [InlineData("https://example.com@127.0.0.1/")]
    [InlineData("https://example.com:443@169.254.169.254/")]
    [InlineData("https://anna:secret@example.com/")]
    [InlineData("https://127.0.0.1\\@example.com/")]
    [InlineData("https://example.com/#@127.0.0.1")]
    [InlineData("https://example\u3002com/")]
    [InlineData("https://\u24db\u24de\u24d2\u24d0lhost/")]
    [InlineData("https://127.0.0.1%00.example.com/")]
    [InlineData("https://example.com/\r\nHost: 169.254.169.254")]
    [InlineData("https://example.com/ HTTP/1.1\r\nX-Injected: yes\r\n\r\n")]
    [InlineData("https://exam\tple.com/")]
    [InlineData(" https://example.com/")]
    [InlineData("http://example.com/")]
    [InlineData("gopher://example.com:6379/_FLUSHALL")]
    [InlineData("unix:///var/run/docker.sock")]
    [InlineData("file:///etc/passwd")]
    [InlineData("//169.254.169.254/")]
    public async Task Webhook_address_that_is_private_or_not_https_is_rejected(string url)
    {
        url = url.Replace("PORT", $"{Manager.Port}", StringComparison.Ordinal);

        var (status, problem) = await Manager.PostAsync("/webhooks", JsonSerializer.Serialize(new { url, userId = "ssrf" }));

        Assert.True(status is HttpStatusCode.BadRequest, $"{url} gave {status}: {problem}");
        Assert.NotNull(problem!["errors"]!["url"]);
    }

    /// <summary>No field of a request becomes a header of a webhook message.</summary>
    [Theory]
    [InlineData("secret", "whsec_AAAA\r\nX-Injected: yes")]
    [InlineData("headers", "X-Injected: yes\r\n")]
    [InlineData("id", "msg_1\r\nX-Injected: yes")]
    [InlineData("userId", "ssrf\r\nX-Injected: yes")]
    [InlineData("events", "bot.failed\r\nX-Injected: yes")]
    public async Task Line_breaks_do_not_inject_headers(string field, string value)
    {
        var (status, problem) = await Manager.PostAsync(
            "/webhooks", JsonSerializer.Serialize(new Dictionary<string, object> { ["url"] = "https://example.com/", [field] = field is "events" ? (string[])[value] : value }));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.NotNull(problem!["errors"]![field]);
    }

    /// <summary>This machine's own name looks public, but resolves to a private address on most machines.</summary>
    [Fact]
    public async Task Name_that_resolves_to_a_private_address_is_detected_before_connecting()
    {
        var name = Dns.GetHostName();
        Assert.SkipUnless(await ResolvesToPrivateAddressAsync(name), $"{name} does not resolve, or resolves to a public address.");
        using var inside = new TcpListener(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
        inside.Start();
        var (_, webhook) = await Manager.PostAsync("/webhooks", JsonSerializer.Serialize(new { url = $"https://{name}:{((IPEndPoint)inside.LocalEndpoint).Port}/", userId = "ssrf" }));
        await Manager.PostAsync($"/webhooks/{webhook!["id"]}/test");

        var attempt = await Eventually.NotNullAsync(async () => (await Manager.GetAsync($"/webhooks/{webhook["id"]}/deliveries")).Body!["items"]![0]!["attempts"]!.AsArray().FirstOrDefault());

        Assert.Contains("private address", (string?)attempt["error"], StringComparison.Ordinal);
        Assert.False(inside.Pending());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task Name_that_now_resolves_to_a_private_address_is_not_connected_to(string inside)
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        // Public but unused: https://www.iana.org/assignments/ipv6-address-space lists the prefix as returned.
        var addresses = new Queue<string>(["3ffe::1", inside]);
        var url = new UriBuilder(receiver.Url) { Host = "rebinding.example" }.Uri;
        using var sender = new WebhookSender(Options.Create(new WebhookOptions()), TimeProvider.System)
        {
            ResolveHost = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(addresses.Dequeue())]),
        };

        var first = await SendAsync(sender, url);
        Assert.Single(addresses);
        var second = await SendAsync(sender, url);

        Assert.DoesNotContain("private address", first.Error, StringComparison.Ordinal);
        Assert.Contains("private address", second.Error, StringComparison.Ordinal);
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task Only_the_public_addresses_of_a_name_are_tried()
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        using var sender = new WebhookSender(Options.Create(new WebhookOptions()), TimeProvider.System)
        {
            ResolveHost = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.Parse("3ffe::1"), IPAddress.IPv6Loopback]),
        };

        var attempt = await SendAsync(sender, new UriBuilder(receiver.Url) { Host = "both.example" }.Uri);

        Assert.Null(attempt.HttpStatus);
        Assert.Empty(receiver.Received);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirects_of_receivers_are_not_followed(int status)
    {
        await using var inside = new WebhookReceiver();
        await inside.StartAsync();
        await using var receiver = new WebhookReceiver { Answer = _ => new RedirectResult(status, inside.Url) };
        await receiver.StartAsync();
        using var sender = new WebhookSender(Options.Create(new WebhookOptions { AllowPrivateAddresses = true }), TimeProvider.System);

        var attempt = await SendAsync(sender, new(receiver.Url));

        Assert.Equal((status, false), (attempt.HttpStatus, attempt.IsSuccess));
        Assert.Single(receiver.Received);
        Assert.Empty(inside.Received);
    }

    private static Task<DeliveryAttempt> SendAsync(WebhookSender sender, Uri url)
    {
        var now = TimeProvider.System.GetUtcNow();
        return sender.SendAsync(
            new() { Id = "wh_1", UserId = UserId.Default, Url = url, CreatedAt = now, Secret = WebhookSignature.NewSecret() },
            new() { Id = "msg_1", Type = "bot.completed", Payload = "{}", CreatedAt = now },
            Cancellation);
    }

    private static async Task<bool> ResolvesToPrivateAddressAsync(string name)
    {
        try
        {
            return !(await Dns.GetHostAddressesAsync(name, Cancellation)).Any(PublicAddress.IsPublic);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private sealed class RedirectResult(int status, string to) : IResult
    {
        public Task ExecuteAsync(HttpContext context)
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = to;
            return Task.CompletedTask;
        }
    }

    /// <summary>In Development, webhooks to this machine are allowed.</summary>
    public sealed class ManagerAsInProduction : IAsyncLifetime
    {
        internal QueueingManager Queueing { get; } = new() { Settings = [("Webhooks__AllowLoopback", "false")] };

        public ValueTask InitializeAsync() => Queueing.InitializeAsync();

        public ValueTask DisposeAsync() => Queueing.DisposeAsync();
    }
}
