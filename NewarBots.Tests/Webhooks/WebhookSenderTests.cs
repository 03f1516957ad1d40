using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class WebhookSenderTests
{
    private readonly Delivery _delivery = new() { Id = "msg_1", Type = "bot.completed", Payload = "{}", CreatedAt = TimeProvider.System.GetUtcNow() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("[::ffff:127.0.0.1]")]
    public async Task A_name_that_leads_inside_is_not_connected_to(string host)
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        var url = new UriBuilder(receiver.Url) { Host = host }.Uri;

        var attempt = await SendAsync(url, allowPrivate: false);

        Assert.Contains("private address", attempt.Error, StringComparison.Ordinal);
        Assert.Null(attempt.HttpStatus);
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var receiver = new WebhookReceiver { Answer = _ => Results.Redirect("/inside") };
        await receiver.StartAsync();

        var attempt = await SendAsync(new(receiver.Url), allowPrivate: true);

        Assert.Equal((302, false), (attempt.HttpStatus, attempt.IsTaken));
        Assert.Equal("/hook", Assert.Single(receiver.Received).Path);
    }

    [Fact]
    public async Task Nothing_of_the_managers_own_goes_with_it()
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        using var activity = new System.Diagnostics.Activity("anything").Start();

        Assert.True((await SendAsync(new(receiver.Url), allowPrivate: true)).IsTaken);

        Assert.DoesNotContain("traceparent", Assert.Single(receiver.Received).Headers);
    }

    [Fact]
    public async Task Nobody_there_is_a_failed_attempt_that_says_so()
    {
        await using var receiver = new WebhookReceiver();

        var attempt = await SendAsync(new(receiver.Url), allowPrivate: true);

        Assert.Contains("refused", attempt.Error, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<DeliveryAttempt> SendAsync(Uri url, bool allowPrivate)
    {
        using var sender = new WebhookSender(Options.Create(new WebhookOptions { AllowPrivateAddresses = allowPrivate }), TimeProvider.System);
        var webhook = new Webhook
        {
            Id = "w1",
            UserId = UserId.Default,
            Url = url,
            CreatedAt = _delivery.CreatedAt,
            Secret = WebhookSignature.NewSecret(),
        };
        return await sender.SendAsync(webhook, _delivery, Cancellation);
    }
}
