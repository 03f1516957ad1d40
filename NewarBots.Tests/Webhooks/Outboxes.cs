using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

internal static class Outboxes
{
    /// <summary>The outbox of a storage without webhooks.</summary>
    public static WebhookOutbox Unused(TimeProvider time) =>
        new(new(new StorageLayout(Path.Combine(Path.GetTempPath(), "newarbots-none")), time, NullLogger<WebhookFiles>.Instance), time);
}
