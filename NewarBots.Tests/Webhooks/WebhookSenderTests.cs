using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class WebhookSenderTests
{
    private readonly Delivery _delivery = new() { Id = "msg_1", Type = "bot.completed", Payload = "{}", CreatedAt = TimeProvider.System.GetUtcNow() };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_trace_ids_are_sent_to_receivers()
    {
        await using var receiver = new WebhookReceiver();
        await receiver.StartAsync();
        using var activity = new System.Diagnostics.Activity("anything").Start();

        Assert.True((await SendAsync(new(receiver.Url))).IsSuccess);

        Assert.DoesNotContain("traceparent", Assert.Single(receiver.Received).Headers);
    }

    [Fact]
    public async Task A_refused_connection_is_a_failed_attempt()
    {
        await using var receiver = new WebhookReceiver();

        var attempt = await SendAsync(new(receiver.Url));

        Assert.Contains("refused", attempt.Error, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<DeliveryAttempt> SendAsync(Uri url)
    {
        using var sender = new WebhookSender(Options.Create(new WebhookOptions { AllowPrivateAddresses = true }), TimeProvider.System);
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
