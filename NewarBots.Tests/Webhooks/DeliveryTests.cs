using CsCheck;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class DeliveryTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly Delivery _delivery = new() { Id = "msg_1", Type = "bot.completed", Payload = "{}", CreatedAt = Start, NextAttemptAt = Start };

    [Fact]
    public void A_2xx_response_completes_the_delivery()
    {
        var after = _delivery.After(Attempt(204, Start), jitter: 0);

        Assert.Equal((DeliveryStatus.Delivered, (DateTimeOffset?)null), (after.Status, after.NextAttemptAt));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(302, 0.5)]
    [InlineData(404, 0.99)]
    [InlineData(500, 0.5)]
    public void A_failed_message_is_retried_with_growing_delays_for_a_day_and_then_fails(int? status, double jitter)
    {
        var delivery = _delivery;
        var times = new List<DateTimeOffset>();
        while (delivery is { Status: DeliveryStatus.Pending, NextAttemptAt: { } next })
        {
            times.Add(next);
            delivery = delivery.After(Attempt(status, next), jitter);
        }

        Assert.Equal(DeliveryStatus.Failed, delivery.Status);
        Assert.Equal(times.Count, delivery.Attempts.Count);
        Assert.InRange(times[^1] - Start, TimeSpan.FromHours(23), TimeSpan.FromHours(27));
        var delays = times.Zip(times.Skip(1), (earlier, later) => later - earlier).ToList();
        Assert.Equal(delays.Order(), delays);
    }

    [Fact]
    public void Jitter_only_extends_the_delay_before_a_retry() => Gen.Double[0, 1].Sample(jitter =>
    {
        for (var failed = 1; failed <= RetrySchedule.Delays.Count; failed++)
        {
            var delay = RetrySchedule.Delays[failed - 1];
            Assert.Equal(delay * (1 + RetrySchedule.MaxJitter * jitter), RetrySchedule.DelayAfter(failed, retryAfter: null, jitter));
            Assert.InRange(RetrySchedule.DelayAfter(failed, retryAfter: TimeSpan.FromHours(8), jitter)!.Value, TimeSpan.FromHours(8), TimeSpan.FromHours(8.8));
        }
    });

    [Fact]
    public void A_410_response_is_not_retried() =>
        Assert.Equal(DeliveryStatus.Failed, _delivery.After(Attempt(410, Start), jitter: 0).Status);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(60, 60)]
    [InlineData(1_000_000, 8 * 3600)]
    public void Retry_After_extends_the_delay_up_to_a_maximum(int retryAfter, int expectedDelay) =>
        Assert.Equal(
            Start + TimeSpan.FromSeconds(expectedDelay),
            _delivery.After(Attempt(503, Start) with { RetryAfter = TimeSpan.FromSeconds(retryAfter) }, jitter: 0).NextAttemptAt);

    [Fact]
    public void A_redelivered_message_gets_a_full_set_of_retries()
    {
        var failed = _delivery;
        while (failed.NextAttemptAt is { } next)
            failed = failed.After(Attempt(500, next), jitter: 0);

        var redelivered = failed.ForRedelivery(Start).After(Attempt(500, Start), jitter: 0);

        Assert.Equal((DeliveryStatus.Pending, Start + RetrySchedule.Delays[0]), (redelivered.Status, redelivered.NextAttemptAt));
        Assert.Equal(failed.Attempts.Count + 1, redelivered.Attempts.Count);
    }

    private static DeliveryAttempt Attempt(int? status, DateTimeOffset at) => new(at, 0.1, status, status is null ? "Connection refused." : null);
}
