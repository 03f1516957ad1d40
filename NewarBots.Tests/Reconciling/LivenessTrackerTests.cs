using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Reconciling;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Reconciling;

public sealed class LivenessTrackerTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly JumpingClock _time = new();
    private readonly LivenessTracker _liveness;
    private Bot _bot = SampleBots.In(BotStatus.Recording);
    private DateTimeOffset _writtenAt = SampleBots.Noon;

    public LivenessTrackerTests() => _liveness = new(_time);

    [Fact]
    public void Time_counts_from_the_first_observation_and_ignores_jumps_of_the_wall_clock()
    {
        Assert.Equal(new Liveness(TimeSpan.Zero, TimeSpan.Zero), Observe());
        _time.Advance(Minute);
        _time.Jump(TimeSpan.FromDays(3));
        Assert.Equal(new Liveness(Minute, Minute), Observe());
    }

    [Fact]
    public void A_status_message_or_a_write_to_the_folder_counts_as_activity()
    {
        Observe();
        _time.Advance(Minute);
        _bot = _bot with { LastSequence = 200 };
        Assert.Equal(new Liveness(Minute, TimeSpan.Zero), Observe());
        _time.Advance(Minute);
        _writtenAt += Minute;
        Assert.Equal(new Liveness(2 * Minute, TimeSpan.Zero), Observe());
        _time.Advance(Minute);
        Assert.Equal(new Liveness(3 * Minute, Minute), Observe());
    }

    [Fact]
    public void A_recorder_that_does_not_run_accumulates_inactivity_but_no_running_time()
    {
        Observe();
        _time.Advance(Minute);
        Assert.Equal(new Liveness(TimeSpan.Zero, Minute), Observe(RecorderContainerState.Exited));
        _time.Advance(Minute);
        Assert.Equal(new Liveness(TimeSpan.Zero, 2 * Minute), Observe());
    }

    [Fact]
    public void A_session_without_a_record_and_a_folder_is_forgotten()
    {
        Observe();
        _time.Advance(Minute);
        Assert.Empty(_liveness.Observe(new Dictionary<SessionId, Bot>(), [], []));
        Assert.Equal(new Liveness(TimeSpan.Zero, TimeSpan.Zero), Observe());
    }

    private Liveness? Observe(RecorderContainerState state = RecorderContainerState.Running) => _liveness.Observe(
        new Dictionary<SessionId, Bot> { [_bot.Id] = _bot },
        [new RecorderContainer(_bot.Id, _bot.UserId, state)],
        [new SessionOnDisk(_bot.Id, _bot.UserId, HasAudio: true, _writtenAt)]).GetValueOrDefault(_bot.Id);

    /// <summary>A clock whose wall time can jump, independent of its monotonic time.</summary>
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
