using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class DeliveryTests
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly Delivery _delivery = new() { Id = "msg_1", Type = "bot.completed", Payload = "{}", CreatedAt = Begin, NextAttemptAt = Begin };

    [Fact]
    public void What_is_taken_is_delivered()
    {
        var after = _delivery.After(Answered(204, Begin));

        Assert.Equal((DeliveryStatus.Delivered, (DateTimeOffset?)null), (after.Status, after.NextAttemptAt));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(302)]
    [InlineData(404)]
    [InlineData(500)]
    public void What_is_not_taken_is_sent_ever_less_often_for_a_day_and_then_given_up(int? status)
    {
        var delivery = _delivery;
        var times = new List<DateTimeOffset>();
        while (delivery is { Status: DeliveryStatus.Pending, NextAttemptAt: { } next })
        {
            times.Add(next);
            delivery = delivery.After(Answered(status, next));
        }

        Assert.Equal(DeliveryStatus.Failed, delivery.Status);
        Assert.Equal(times.Count, delivery.Attempts.Count);
        Assert.InRange(times[^1] - Begin, TimeSpan.FromHours(23), TimeSpan.FromHours(25));
        var waits = times.Zip(times.Skip(1), (earlier, later) => later - earlier).ToList();
        Assert.Equal(waits.Order(), waits);
    }

    [Fact]
    public void A_receiver_that_is_gone_is_not_asked_again() =>
        Assert.Equal(DeliveryStatus.Failed, _delivery.After(Answered(410, Begin)).Status);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(60, 60)]
    [InlineData(1_000_000, 8 * 3600)]
    public void A_receiver_that_asks_to_be_left_alone_is_within_reason(int asked, int waits) =>
        Assert.Equal(
            Begin + TimeSpan.FromSeconds(waits),
            _delivery.After(Answered(503, Begin) with { RetryAfter = TimeSpan.FromSeconds(asked) }).NextAttemptAt);

    [Fact]
    public void What_was_given_up_has_all_its_attempts_again_where_somebody_asks_for_it()
    {
        var failed = _delivery;
        while (failed.NextAttemptAt is { } next)
            failed = failed.After(Answered(500, next));

        var again = failed.Again(Begin).After(Answered(500, Begin));

        Assert.Equal((DeliveryStatus.Pending, Begin + RetrySchedule.Waits[0]), (again.Status, again.NextAttemptAt));
        Assert.Equal(failed.Attempts.Count + 1, again.Attempts.Count);
    }

    private static DeliveryAttempt Answered(int? status, DateTimeOffset at) => new(at, 0.1, status, status is null ? "Nobody answers." : null);
}
