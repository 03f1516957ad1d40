using System.Collections.Concurrent;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Webhooks;

/// <summary>Turns events into messages and sends them. Each webhook has its own concurrency limit, so that slow receivers do not delay others.</summary>
internal sealed partial class WebhookDispatcher(
    WebhookFiles webhooks,
    DeliveryStore deliveries,
    WebhookSender sender,
    WebhookOutbox outbox,
    BackgroundLoops loops,
    BotMetrics metrics,
    TimeProvider time,
    ILogger<WebhookDispatcher> logger) : BackgroundService
{
    private const int MaxConcurrentPerWebhook = 4;

    /// <summary>How often to look for events of other managers and for retries that are due.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <summary>Longer than an attempt. If a manager dies, another one sends its claimed messages after this time.</summary>
    private static readonly TimeSpan ClaimDuration = WebhookSender.AttemptTimeout * 2;

    /// <summary>Time for running attempts to finish on shutdown, so that most receivers get no duplicates.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, int> _inFlight = new();
    private readonly CancellationTokenSource _abort = new(Timeout.InfiniteTimeSpan, time);

    public override void Dispose()
    {
        // A start that fails disposes of this service while its loop still ends, and the loop needs the token.
        if (ExecuteTask is null or { IsCompleted: true })
            _abort.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await loops.RunAsync(
            "send webhooks", BackgroundLoops.DefaultTimeout, _ => TryDispatchAsync(), token => outbox.WakeUp.WaitAsync(PollInterval, time, token), stoppingToken);
        _abort.CancelAfter(ShutdownTimeout);
        while (_inFlight.Values.Any(count => count > 0))
            await outbox.WakeUp.WaitAsync(PollInterval, time, CancellationToken.None);
    }

    private async Task TryDispatchAsync()
    {
        try
        {
            await DispatchAsync();
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The status listener logs that Redis is unavailable. The next poll tries again; events and messages stay in Redis.
        }
    }

    private async Task DispatchAsync()
    {
        await deliveries.DistributeAsync(webhooks.All, time.GetUtcNow());
        // The webhooks of a user's single bots share one limit of attempts at the same time.
        (Webhook, string)[] all = [.. webhooks.All.Select(webhook => (webhook, webhook.Id)), .. (await deliveries.OwnAsync()).Select(own => (own, $"own {own.UserId}"))];
        foreach (var (webhook, slot) in all)
        {
            if (webhook.DisabledAt is not null)
            {
                // A running attempt settles its own message. One batch in a pass, because the messages of others wait.
                if (_inFlight.GetValueOrDefault(slot) == 0)
                    await deliveries.FailPendingAsync(webhook);
                continue;
            }

            var capacity = MaxConcurrentPerWebhook - _inFlight.GetValueOrDefault(slot);
            if (capacity <= 0)
                continue;
            var now = time.GetUtcNow();
            foreach (var delivery in await deliveries.ClaimAsync(webhook, now, now + ClaimDuration, capacity))
            {
                _inFlight.AddOrUpdate(slot, 1, (_, count) => count + 1);
                _ = SendAsync(webhook, slot, delivery, now + ClaimDuration);
            }
        }
    }

    private async Task SendAsync(Webhook webhook, string slot, Delivery delivery, DateTimeOffset claimedUntil)
    {
        try
        {
            var attempt = await sender.SendAsync(webhook, delivery, _abort.Token);
            var after = delivery.After(attempt, Random.Shared.NextDouble());
            metrics.Notified(TimeSpan.FromSeconds(attempt.DurationSeconds), WireWord.Of(after.Status));
            if (after.Status is DeliveryStatus.Failed)
                Log.Failed(logger, delivery.Id, webhook.Id, after.Attempts.Count, attempt.Error);
            if (attempt.IsGone && await webhooks.ChangeAsync(webhook.Id, current => current with { DisabledAt = time.GetUtcNow() }, _abort.Token) is not null)
                Log.Disabled(logger, webhook.Id);

            await deliveries.SettleAsync(webhook, after, claimedUntil);
        }
        catch (Exception) when (_abort.IsCancellationRequested)
        {
            await ReleaseAsync(webhook, delivery, claimedUntil);
        }
        catch (Exception exception)
        {
            // The message is due again after its claim expires. The receiver detects the duplicate by its id.
            Log.NotSettled(logger, delivery.Id, webhook.Id, exception.Message);
        }
        finally
        {
            if (_inFlight.AddOrUpdate(slot, 0, (_, count) => count - 1) == 0)
                _inFlight.TryRemove(new(slot, 0));
            outbox.WakeUp.Raise();
        }
    }

    /// <summary>Makes a claimed message due again at once, so that another manager can send it.</summary>
    private async Task ReleaseAsync(Webhook webhook, Delivery delivery, DateTimeOffset claimedUntil)
    {
        try
        {
            await deliveries.SettleAsync(webhook, delivery, claimedUntil);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The message is due again after its claim expires.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Message {MessageId} to webhook {WebhookId} failed after {Attempts} attempts and will not be retried: {Reason}")]
        public static partial void Failed(ILogger logger, string messageId, string webhookId, int attempts, string? reason);

        [LoggerMessage(LogLevel.Warning, "Webhook {WebhookId} is disabled: its receiver responded with 410 Gone")]
        public static partial void Disabled(ILogger logger, string webhookId);

        [LoggerMessage(LogLevel.Warning, "Result of message {MessageId} to webhook {WebhookId} could not be stored, will send it again: {Reason}")]
        public static partial void NotSettled(ILogger logger, string messageId, string webhookId, string reason);
    }
}
