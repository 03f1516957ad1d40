using CsCheck;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class DeliveryTests
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly Delivery _delivery = new() { Id = "msg_1", Type = "bot.completed", Payload = "{}", CreatedAt = Begin, NextAttemptAt = Begin };

    [Fact]
    public void What_is_taken_is_delivered()
    {
        var after = _delivery.After(Answered(204, Begin), chance: 0);

        Assert.Equal((DeliveryStatus.Delivered, (DateTimeOffset?)null), (after.Status, after.NextAttemptAt));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(302, 0.5)]
    [InlineData(404, 0.99)]
    [InlineData(500, 0.5)]
    public void What_is_not_taken_is_sent_ever_less_often_for_a_day_and_then_given_up(int? status, double chance)
    {
        var delivery = _delivery;
        var times = new List<DateTimeOffset>();
        while (delivery is { Status: DeliveryStatus.Pending, NextAttemptAt: { } next })
        {
            times.Add(next);
            delivery = delivery.After(Answered(status, next), chance);
        }

        Assert.Equal(DeliveryStatus.Failed, delivery.Status);
        Assert.Equal(times.Count, delivery.Attempts.Count);
        Assert.InRange(times[^1] - Begin, TimeSpan.FromHours(23), TimeSpan.FromHours(27));
        var waits = times.Zip(times.Skip(1), (earlier, later) => later - earlier).ToList();
        Assert.Equal(waits.Order(), waits);
    }

    [Fact]
    public void What_failed_together_does_not_come_back_together_and_nothing_comes_before_its_time() => Gen.Double[0, 1].Sample(chance =>
    {
        for (var failed = 1; failed <= RetrySchedule.Waits.Count; failed++)
        {
            var wait = RetrySchedule.Waits[failed - 1];
            Assert.Equal(wait * (1 + RetrySchedule.Spread * chance), RetrySchedule.WaitAfter(failed, asked: null, chance));
            Assert.InRange(RetrySchedule.WaitAfter(failed, asked: TimeSpan.FromHours(8), chance)!.Value, TimeSpan.FromHours(8), TimeSpan.FromHours(8.8));
        }
    });

    [Fact]
    public void A_receiver_that_is_gone_is_not_asked_again() =>
        Assert.Equal(DeliveryStatus.Failed, _delivery.After(Answered(410, Begin), chance: 0).Status);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(60, 60)]
    [InlineData(1_000_000, 8 * 3600)]
    public void A_receiver_that_asks_to_be_left_alone_is_within_reason(int asked, int waits) =>
        Assert.Equal(
            Begin + TimeSpan.FromSeconds(waits),
            _delivery.After(Answered(503, Begin) with { RetryAfter = TimeSpan.FromSeconds(asked) }, chance: 0).NextAttemptAt);

    [Fact]
    public void What_was_given_up_has_all_its_attempts_again_where_somebody_asks_for_it()
    {
        var failed = _delivery;
        while (failed.NextAttemptAt is { } next)
            failed = failed.After(Answered(500, next), chance: 0);

        var again = failed.Again(Begin).After(Answered(500, Begin), chance: 0);

        Assert.Equal((DeliveryStatus.Pending, Begin + RetrySchedule.Waits[0]), (again.Status, again.NextAttemptAt));
        Assert.Equal(failed.Attempts.Count + 1, again.Attempts.Count);
    }

    private static DeliveryAttempt Answered(int? status, DateTimeOffset at) => new(at, 0.1, status, status is null ? "Nobody answers." : null);
}
