namespace NewarBots.Manager.Webhooks;

/// <summary>Section <c>Webhooks</c>.</summary>
internal sealed class WebhookOptions
{
    public const string Section = "Webhooks";

    /// <summary>
    /// Allows webhooks to this machine and to private networks, and plain http. Off by default, because users could otherwise reach internal
    /// services through the manager.
    /// </summary>
    public bool AllowPrivateAddresses { get; set; }
}
