using NewarBots.Recorder;

namespace NewarBots.Tests.Recording;

public sealed class SteadyClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-26)]
    [InlineData(1000)]
    public void A_clock_that_is_set_moves_nothing(int hours)
    {
        var machine = new MachineClock();
        var clock = new SteadyClock(machine);
        machine.Advance(TimeSpan.FromMinutes(5));

        machine.SetBy = TimeSpan.FromHours(hours);
        machine.Advance(TimeSpan.FromSeconds(7));

        Assert.Equal(Start.AddSeconds(307), clock.GetUtcNow());
        Assert.Equal(Start.AddSeconds(305), clock.Read(machine.GetUtcNow().AddSeconds(-2)));
    }

    [Fact]
    public void A_clock_that_is_left_alone_is_the_machines()
    {
        var machine = new MachineClock();
        var clock = new SteadyClock(machine);
        machine.Advance(TimeSpan.FromHours(5));

        Assert.Equal(machine.GetUtcNow(), clock.GetUtcNow());
        Assert.Equal(Start.AddHours(3), clock.Read(Start.AddHours(3)));
    }

    /// <summary>A clock that can be set while time goes on.</summary>
    private sealed class MachineClock : TimeProvider
    {
        private TimeSpan _passed;

        public TimeSpan SetBy { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _passed += time;

        public override long GetTimestamp() => _passed.Ticks;

        public override DateTimeOffset GetUtcNow() => Start + _passed + SetBy;
    }
}
