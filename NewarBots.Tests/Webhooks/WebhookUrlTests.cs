using System.Net;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class WebhookUrlTests
{
    [Theory]
    [InlineData("https://example.com/hook")]
    [InlineData("https://example.com:8443/hook?for=bots")]
    [InlineData("https://93.184.215.14/")]
    [InlineData("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/")]
    public void Public_https_URLs_are_accepted(string url) => Assert.Null(WebhookUrl.Read(url, new()).Fault);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/hook")]
    [InlineData("ftp://example.com/")]
    [InlineData("http://example.com/")]
    [InlineData("https://anna:secret@example.com/")]
    [InlineData("https://example.com/#part")]
    [InlineData("https://localhost/")]
    [InlineData("https://localhost./")]
    [InlineData("https://LOCALHOST/")]
    [InlineData("https://a.localhost/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://017700000001/")]
    [InlineData("https://127.1/")]
    [InlineData("https://\uFF11\uFF12\uFF17.0.0.1/")]
    [InlineData("https://\u00ad/")]
    [InlineData("https://a\u200db.example/")]
    [InlineData("https://0/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://[::ffff:7f00:1]/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    public void Other_URLs_are_rejected(string? url) => Assert.NotNull(WebhookUrl.Read(url, new()).Fault);

    [Fact]
    public void A_URL_that_is_too_long_is_rejected() =>
        Assert.NotNull(WebhookUrl.Read($"https://example.com/{new string('a', WebhookUrl.MaxLength)}", new() { AllowPrivateAddresses = true }).Fault);

    [Theory]
    [InlineData("http://localhost:5000/hook")]
    [InlineData("https://10.0.0.7/")]
    public void Private_addresses_and_http_are_accepted_if_the_setting_allows_them(string url) => Assert.Null(WebhookUrl.Read(url, new() { AllowPrivateAddresses = true }).Fault);

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.15.255.255", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("100.63.255.255", true)]
    [InlineData("2a00:1450:4001:80b::200e", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("0.1.2.3", false)]
    [InlineData("10.255.255.255", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.255.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.19.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("240.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::7f00:1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("64:ff9b:1::a00:1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd12:3456::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002:7f00:1::", false)]
    public void Public_addresses_are_told_from_private_ones(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://localhost:5000/hook", true)]
    [InlineData("https://127.0.0.1/hook", true)]
    [InlineData("http://[::1]:5000/hook", true)]
    [InlineData("http://10.0.0.1/hook", false)]
    [InlineData("https://10.0.0.1/hook", false)]
    [InlineData("http://example.com/hook", false)]
    public void Only_this_machine_is_added_if_loopback_is_allowed(string url, bool isAllowed) =>
        Assert.Equal(isAllowed, WebhookUrl.Read(url, new() { AllowLoopback = true }).Fault is null);

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("192.168.0.1", false)]
    [InlineData("93.184.215.14", true)]
    public void A_name_must_resolve_to_an_address_that_is_allowed(string address, bool isAllowed) =>
        Assert.Equal(isAllowed, new WebhookOptions { AllowLoopback = true }.Allows(System.Net.IPAddress.Parse(address)));
}
