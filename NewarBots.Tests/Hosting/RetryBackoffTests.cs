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
        var waits = Enumerable.Range(0, 9).Select(_ => _backoff.Postpone(_id, "it hung").TotalMinutes).ToList();

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], waits);
    }

    [Fact]
    public void Retry_is_due_after_the_wait_and_a_success_resets_it()
    {
        _time.Advance(_backoff.Postpone(_id, "it hung") - TimeSpan.FromSeconds(1));
        Assert.True(_backoff.IsPostponed(_id));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_backoff.IsPostponed(_id));

        _backoff.Postpone(_id, "it hung");
        _backoff.Forget(_id);
        Assert.False(_backoff.IsPostponed(_id));
    }

    [Fact]
    public async Task Health_names_a_recording_after_its_third_failure()
    {
        var check = new RetryBackoffHealthCheck(_backoff);

        _backoff.Postpone(_id, "it hung");
        _backoff.Postpone(_id, "it hung");
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new())).Status);
        _backoff.Postpone(_id, "it was killed");
        var health = await check.CheckHealthAsync(new());

        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Contains($"{_id}, tried 3 times: it was killed", health.Description, StringComparison.Ordinal);
    }
}
