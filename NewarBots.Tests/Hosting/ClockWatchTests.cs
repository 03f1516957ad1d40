using NewarBots.Manager.Hosting;

namespace NewarBots.Tests.Hosting;

public sealed class ClockWatchTests
{
    private readonly TwoClocks _time = new();

    [Fact]
    public void Clock_set_ahead_is_distrusted_for_an_hour()
    {
        var clock = Watched();
        _time.Wall += TimeSpan.FromDays(40);

        Assert.Equal(TimeSpan.FromDays(40), clock.Check());
        Assert.True(clock.IsDistrusted);
        _time.Pass(TimeSpan.FromMinutes(59));
        Assert.Null(clock.Check());
        Assert.True(clock.IsDistrusted);
        _time.Pass(TimeSpan.FromMinutes(2));
        Assert.False(clock.IsDistrusted);
    }

    [Fact]
    public void Clock_set_back_is_trusted_again()
    {
        var clock = Watched();
        _time.Wall += TimeSpan.FromDays(40);
        clock.Check();
        _time.Wall -= TimeSpan.FromDays(40);

        Assert.Equal(TimeSpan.FromDays(-40), clock.Check());
        Assert.False(clock.IsDistrusted);
    }

    [Fact]
    public void Clock_that_runs_normally_or_is_corrected_slightly_is_trusted()
    {
        var clock = Watched();
        _time.Pass(TimeSpan.FromDays(40));
        Assert.Null(clock.Check());
        _time.Wall += TimeSpan.FromMinutes(4);
        Assert.Null(clock.Check());
        Assert.False(clock.IsDistrusted);
    }

    [Fact]
    public void The_time_by_which_the_clock_was_set_back_is_known()
    {
        var setBack = new ClockSetBack(_time);
        _time.Pass(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.Zero, setBack.Total);
        _time.Wall += TimeSpan.FromHours(2);
        Assert.Equal(TimeSpan.Zero, setBack.Total);
        _time.Wall -= TimeSpan.FromHours(5);
        Assert.Equal(TimeSpan.FromHours(3), setBack.Total);
    }

    private ClockWatch Watched()
    {
        var clock = new ClockWatch(_time);
        Assert.Null(clock.Check());
        return clock;
    }

    private sealed class TwoClocks : TimeProvider
    {
        private TimeSpan _passed;

        public DateTimeOffset Wall { get; set; } = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan span)
        {
            Wall += span;
            _passed += span;
        }

        public override DateTimeOffset GetUtcNow() => Wall;

        public override long GetTimestamp() => _passed.Ticks;
    }
}
