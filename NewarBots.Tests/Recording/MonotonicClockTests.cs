using NewarBots.Recorder.Hosting;

namespace NewarBots.Tests.Recording;

public sealed class MonotonicClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-26)]
    [InlineData(1000)]
    public void Setting_the_machines_clock_has_no_effect(int hours)
    {
        var machine = new MachineClock();
        var clock = new MonotonicClock(machine);
        machine.Advance(TimeSpan.FromMinutes(5));

        machine.SetBy = TimeSpan.FromHours(hours);
        machine.Advance(TimeSpan.FromSeconds(7));

        Assert.Equal(Start.AddSeconds(307), clock.GetUtcNow());
        Assert.Equal(Start.AddSeconds(305), clock.FromMachineTime(machine.GetUtcNow().AddSeconds(-2)));
    }

    [Fact]
    public void Equals_the_machines_clock_if_that_is_never_set()
    {
        var machine = new MachineClock();
        var clock = new MonotonicClock(machine);
        machine.Advance(TimeSpan.FromHours(5));

        Assert.Equal(machine.GetUtcNow(), clock.GetUtcNow());
        Assert.Equal(Start.AddHours(3), clock.FromMachineTime(Start.AddHours(3)));
    }

    /// <summary>A clock that can be set while time passes.</summary>
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
