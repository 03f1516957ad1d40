using System.Net;
using Microsoft.Extensions.Options;

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

    /// <summary>
    /// Allows webhooks to this machine, also with plain http. In Development on by default, so that a receiver can be tried.
    /// </summary>
    public bool? AllowLoopback { get; set; }

    /// <summary>Whether a webhook may connect to this address.</summary>
    public bool Allows(IPAddress address) => AllowPrivateAddresses || PublicAddress.IsPublic(address) || AllowLoopback is true && IPAddress.IsLoopback(address);

    /// <summary>Space in Redis for all messages to one user's webhooks, in MiB. The oldest messages are deleted first, pending or not.</summary>
    public int MaxMegabytesPerUser { get; set; } = 16;
}

internal sealed class WebhookOptionsValidator : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options) => options.MaxMegabytesPerUser < 1
        ? ValidateOptionsResult.Fail($"Webhooks:MaxMegabytesPerUser must be 1 or more (it is {options.MaxMegabytesPerUser}).")
        : ValidateOptionsResult.Success;
}
