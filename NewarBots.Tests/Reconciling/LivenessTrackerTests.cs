using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Reconciling;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Reconciling;

public sealed class RecorderSightsTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly JumpingClock _time = new();
    private readonly LivenessTracker _sights;
    private Bot _bot = SampleBots.In(BotStatus.Recording);
    private DateTimeOffset _writtenAt = SampleBots.Noon;

    public RecorderSightsTests() => _sights = new(_time);

    [Fact]
    public void A_recorder_is_as_old_as_the_first_look_at_it_whatever_the_wall_clock_says()
    {
        Assert.Equal(new Liveness(TimeSpan.Zero, TimeSpan.Zero), Look());
        _time.Advance(Minute);
        _time.Jump(TimeSpan.FromDays(3));
        Assert.Equal(new Liveness(Minute, Minute), Look());
    }

    [Fact]
    public void A_word_or_a_byte_on_the_disk_is_a_sign_of_life()
    {
        Look();
        _time.Advance(Minute);
        _bot = _bot with { LastSequence = 200 };
        Assert.Equal(new Liveness(Minute, TimeSpan.Zero), Look());
        _time.Advance(Minute);
        _writtenAt += Minute;
        Assert.Equal(new Liveness(2 * Minute, TimeSpan.Zero), Look());
        _time.Advance(Minute);
        Assert.Equal(new Liveness(3 * Minute, Minute), Look());
    }

    [Fact]
    public void What_does_not_run_grows_no_older_and_no_less_silent()
    {
        Look();
        _time.Advance(Minute);
        Assert.Equal(new Liveness(TimeSpan.Zero, Minute), Look(RecorderContainerState.Exited));
        _time.Advance(Minute);
        Assert.Equal(new Liveness(TimeSpan.Zero, 2 * Minute), Look());
    }

    [Fact]
    public void What_is_neither_known_nor_on_the_disk_any_more_is_forgotten()
    {
        Look();
        _time.Advance(Minute);
        Assert.Empty(_sights.Look(new Dictionary<SessionId, Bot>(), [], []));
        Assert.Equal(new Liveness(TimeSpan.Zero, TimeSpan.Zero), Look());
    }

    private Liveness? Look(RecorderContainerState state = RecorderContainerState.Running) => _sights.Look(
        new Dictionary<SessionId, Bot> { [_bot.Id] = _bot },
        [new RecorderContainer(_bot.Id, _bot.UserId, state)],
        [new SessionOnDisk(_bot.Id, _bot.UserId, HasAudio: true, _writtenAt)]).GetValueOrDefault(_bot.Id);

    /// <summary>A machine whose wall clock is set while its monotonic one goes on.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private TimeSpan _passed;
        private TimeSpan _jumped;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _passed += by;

        public void Jump(TimeSpan by) => _jumped += by;

        public override long GetTimestamp() => _passed.Ticks;

        public override DateTimeOffset GetUtcNow() => SampleBots.Noon + _passed + _jumped;
    }
}
