namespace NewarBots.Manager.Webhooks;

/// <summary>Section <c>Webhooks</c>.</summary>
internal sealed class WebhookOptions
{
    public const string Section = "Webhooks";

    /// <summary>
    /// Webhooks may go to this machine and its private networks, and over plain http. Otherwise a user could reach through the manager what
    /// only the manager's host should reach.
    /// </summary>
    public bool AllowPrivateAddresses { get; set; }
}
