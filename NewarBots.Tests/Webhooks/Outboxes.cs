using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

internal static class Outboxes
{
    /// <summary>One of a storage in which nobody has a webhook.</summary>
    public static WebhookOutbox Unused(TimeProvider time) =>
        new(new(new StorageLayout(Path.Combine(Path.GetTempPath(), "newarbots-none")), time, NullLogger<WebhookFiles>.Instance), time);
}
