using NewarBots.Manager.Access;

namespace NewarBots.Tests.Access;

public sealed class RateLimitsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(59)]
    [InlineData(61)]
    [InlineData(90)]
    [InlineData(119)]
    [InlineData(1200)]
    [InlineData(int.MaxValue)]
    public void The_bucket_refills_at_the_configured_rate_per_minute(int perMinute)
    {
        var bucket = RateLimits.Bucket(perMinute, burst: 10);

        var refilledPerMinute = bucket.TokensPerPeriod * (TimeSpan.FromMinutes(1) / bucket.ReplenishmentPeriod);
        Assert.InRange(refilledPerMinute / perMinute, 0.9999, 1.0001);
    }
}
