using System.Collections.Concurrent;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Webhooks;

/// <summary>Makes messages of what happened and sends them, a few at a time to each webhook, so that one that is slow holds up no other.</summary>
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
    private const int AtOnceToOne = 4;

    /// <summary>What another manager has accepted is looked for, and what is due again.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Longer than an attempt lasts; so soon another manager takes over what a dead one was about to send.</summary>
    private static readonly TimeSpan Claim = WebhookSender.Patience * 2;

    /// <summary>Most receivers answer sooner, and then have nothing twice from a manager that is stopped.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, int> _inFlight = new();
    private readonly CancellationTokenSource _over = new(Timeout.InfiniteTimeSpan, time);
    private bool _hadSome;

    public override void Dispose()
    {
        _over.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await loops.RunAsync(
            "send webhooks", BackgroundLoops.DefaultTimeout, _ => TurnOrPostponeAsync(), token => outbox.News.WaitAsync(Interval, time, token), stoppingToken);
        _over.CancelAfter(Farewell);
        while (_inFlight.Values.Any(count => count > 0))
            await outbox.News.WaitAsync(Interval, time, CancellationToken.None);
    }

    private async Task TurnOrPostponeAsync()
    {
        try
        {
            await TurnAsync();
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // It is told elsewhere, and everything waits in Redis.
        }
    }

    private async Task TurnAsync()
    {
        var all = webhooks.All;
        // Once more after the last one is gone: what it was to be told is nobody else's.
        if (all.Count == 0 && !_hadSome)
            return;
        _hadSome = all.Count > 0;
        await deliveries.DistributeAsync(all, time.GetUtcNow());
        foreach (var webhook in all)
        {
            if (webhook.DisabledAt is not null)
            {
                // What is on its way is settled by whoever sends it.
                if (_inFlight.GetValueOrDefault(webhook.Id) == 0)
                    await deliveries.GiveUpAsync(webhook);
                continue;
            }

            var room = AtOnceToOne - _inFlight.GetValueOrDefault(webhook.Id);
            if (room == 0)
                continue;
            var now = time.GetUtcNow();
            foreach (var delivery in await deliveries.ClaimAsync(webhook, now, now + Claim, room))
            {
                _inFlight.AddOrUpdate(webhook.Id, 1, (_, count) => count + 1);
                _ = SendAsync(webhook, delivery, now + Claim);
            }
        }
    }

    private async Task SendAsync(Webhook webhook, Delivery delivery, DateTimeOffset claimedUntil)
    {
        try
        {
            var attempt = await sender.SendAsync(webhook, delivery, _over.Token);
            var after = delivery.After(attempt, Random.Shared.NextDouble());
            metrics.Notified(TimeSpan.FromSeconds(attempt.DurationSeconds), WireWord.Of(after.Status));
            if (after.Status is DeliveryStatus.Failed)
                Log.GivenUp(logger, delivery.Id, webhook.Id, after.Attempts.Count, attempt.Error);
            if (attempt.IsGone && await webhooks.ChangeAsync(webhook.Id, known => known with { DisabledAt = time.GetUtcNow() }, _over.Token) is not null)
                Log.Disabled(logger, webhook.Id);

            await deliveries.SettleAsync(webhook, after, claimedUntil);
        }
        catch (Exception) when (_over.IsCancellationRequested)
        {
            await ReleaseAsync(webhook, delivery, claimedUntil);
        }
        catch (Exception exception)
        {
            // It is due again once the claim is over: the receiver may get it twice, and knows it by its id.
            Log.NotSettled(logger, delivery.Id, webhook.Id, exception.Message);
        }
        finally
        {
            _inFlight.AddOrUpdate(webhook.Id, 0, (_, count) => count - 1);
            outbox.News.Raise();
        }
    }

    /// <summary>What was claimed and not sent is due as it was before, for whichever manager comes next.</summary>
    private async Task ReleaseAsync(Webhook webhook, Delivery delivery, DateTimeOffset claimedUntil)
    {
        try
        {
            await deliveries.SettleAsync(webhook, delivery, claimedUntil);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // Then it is once the claim is over.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Message {MessageId} to webhook {WebhookId} is given up after {Attempts} attempts: {Why}")]
        public static partial void GivenUp(ILogger logger, string messageId, string webhookId, int attempts, string? why);

        [LoggerMessage(LogLevel.Warning, "Webhook {WebhookId} is told nothing any more: its receiver answered 410 Gone")]
        public static partial void Disabled(ILogger logger, string webhookId);

        [LoggerMessage(LogLevel.Warning, "What became of message {MessageId} to webhook {WebhookId} could not be kept, so it is sent once more: {Why}")]
        public static partial void NotSettled(ILogger logger, string messageId, string webhookId, string why);
    }
}
