using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Tests.Hosting;

public sealed class RetryBackoffTests
{
    private readonly SessionId _id = SessionId.New(TimeProvider.System);
    private readonly FakeTimeProvider _time = new();
    private readonly RetryBackoff _backoff;

    public RetryBackoffTests() => _backoff = new(_time);

    [Fact]
    public void Repeated_failures_double_the_wait_up_to_an_hour()
    {
        var waits = Enumerable.Range(0, 9).Select(_ => _backoff.Postpone(_id, new InvalidOperationException()).TotalMinutes).ToList();

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], waits);
    }

    [Fact]
    public void A_restarted_manager_continues_with_the_attempts_in_the_record()
    {
        Assert.Equal(TimeSpan.FromMinutes(8), Postpone(attempts: 4));
        Assert.Equal(TimeSpan.FromHours(1), Postpone(attempts: int.MaxValue));
    }

    [Fact]
    public void Retry_is_due_after_the_wait_and_a_success_resets_it()
    {
        _time.Advance(Postpone(attempts: 1) - TimeSpan.FromSeconds(1));
        Assert.True(_backoff.IsPostponed(_id));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_backoff.IsPostponed(_id));

        Postpone(attempts: 2);
        _backoff.Forget(_id);
        Assert.False(_backoff.IsPostponed(_id));
        Assert.Equal(0, _backoff.AttemptsOf(_id));
    }

    [Fact]
    public void The_end_of_an_outage_makes_the_bots_due_that_it_postponed_and_no_others()
    {
        var other = SessionId.New(TimeProvider.System);
        _backoff.Postpone(_id, attempts: 5, FailureCause.FFmpeg, "FFmpeg is missing.");
        _backoff.Postpone(other, attempts: 5, FailureCause.Storage, "The storage has no free space.");

        _backoff.EndOutage(FailureCause.FFmpeg);

        Assert.False(_backoff.IsPostponed(_id));
        Assert.Equal(5, _backoff.AttemptsOf(_id));
        Assert.True(_backoff.IsPostponed(other));
    }

    [Fact]
    public async Task Health_names_a_bot_with_its_attempts_and_its_next_attempt_and_is_degraded_from_the_third_failure()
    {
        var check = new RetryBackoffHealthCheck(_backoff);
        Assert.Null((await check.CheckHealthAsync(new())).Description);

        Postpone(attempts: 1);
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new())).Status);
        Postpone(attempts: 3);
        _time.Advance(TimeSpan.FromSeconds(50));
        var health = await check.CheckHealthAsync(new());

        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Equal($"Bot {_id}: 3 failed attempts, the next in 4 min. It hung.", health.Description);
    }

    private TimeSpan Postpone(int attempts) => _backoff.Postpone(_id, attempts, FailureCause.Bot, "It hung.");
}
