using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Tests.Hosting;

public sealed class PostponementsTests
{
    private readonly SessionId _id = SessionId.New(TimeProvider.System);
    private readonly FakeTimeProvider _time = new();
    private readonly RetryBackoff _postponements;

    public PostponementsTests() => _postponements = new(_time);

    [Fact]
    public void What_fails_again_and_again_is_tried_less_and_less_often_and_at_least_once_an_hour()
    {
        var waits = Enumerable.Range(0, 9).Select(_ => _postponements.Postpone(_id, "it hung").TotalMinutes).ToList();

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], waits);
    }

    [Fact]
    public void It_is_tried_again_when_its_time_has_come_or_it_has_succeeded()
    {
        _time.Advance(_postponements.Postpone(_id, "it hung") - TimeSpan.FromSeconds(1));
        Assert.True(_postponements.IsPostponed(_id));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_postponements.IsPostponed(_id));

        _postponements.Postpone(_id, "it hung");
        _postponements.Forget(_id);
        Assert.False(_postponements.IsPostponed(_id));
    }

    [Fact]
    public async Task Health_names_what_has_failed_for_the_third_time()
    {
        var check = new RetryBackoffHealthCheck(_postponements);

        _postponements.Postpone(_id, "it hung");
        _postponements.Postpone(_id, "it hung");
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new())).Status);
        _postponements.Postpone(_id, "it was killed");
        var health = await check.CheckHealthAsync(new());

        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Contains($"{_id}, tried 3 times: it was killed", health.Description, StringComparison.Ordinal);
    }
}
