using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Webhooks;

/// <inheritdoc/>
internal sealed class WebhookPolicy(IOptions<WebhookOptions> options) : IWebhookPolicy
{
    public IReadOnlyList<string> EventTypes => WebhookEvent.Types;

    public (Uri? Url, string? Fault) Check(string? text) => WebhookUrl.Read(text, options.Value);

    public string NewSecret() => WebhookSignature.NewSecret();
}
