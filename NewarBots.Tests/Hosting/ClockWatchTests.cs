using NewarBots.Manager.Hosting;

namespace NewarBots.Tests.Hosting;

public sealed class ClockWatchTests
{
    private readonly TwoClocks _time = new();

    [Fact]
    public void A_clock_that_was_set_ahead_is_doubted_for_an_hour()
    {
        var clock = Watched();
        _time.Wall += TimeSpan.FromDays(40);

        Assert.Equal(TimeSpan.FromDays(40), clock.Look());
        Assert.True(clock.IsDoubted);
        _time.Pass(TimeSpan.FromMinutes(59));
        Assert.Null(clock.Look());
        Assert.True(clock.IsDoubted);
        _time.Pass(TimeSpan.FromMinutes(2));
        Assert.False(clock.IsDoubted);
    }

    [Fact]
    public void Once_it_is_set_back_it_is_believed_again()
    {
        var clock = Watched();
        _time.Wall += TimeSpan.FromDays(40);
        clock.Look();
        _time.Wall -= TimeSpan.FromDays(40);

        Assert.Equal(TimeSpan.FromDays(-40), clock.Look());
        Assert.False(clock.IsDoubted);
    }

    [Fact]
    public void A_clock_that_goes_on_or_is_corrected_by_little_is_believed()
    {
        var clock = Watched();
        _time.Pass(TimeSpan.FromDays(40));
        Assert.Null(clock.Look());
        _time.Wall += TimeSpan.FromMinutes(4);
        Assert.Null(clock.Look());
        Assert.False(clock.IsDoubted);
    }

    private ClockWatch Watched()
    {
        var clock = new ClockWatch(_time);
        Assert.Null(clock.Look());
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
