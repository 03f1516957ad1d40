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
    public void A_minute_gives_as_many_requests_as_the_setting_says(int perMinute)
    {
        var bucket = RateLimits.Bucket(perMinute, burst: 10);

        var aMinutes = bucket.TokensPerPeriod * (TimeSpan.FromMinutes(1) / bucket.ReplenishmentPeriod);
        Assert.InRange(aMinutes / perMinute, 0.9999, 1.0001);
    }
}
