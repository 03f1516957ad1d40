namespace NewarBots.Recorder.Hosting;

/// <summary>
/// The wall-clock time at which the recorder started plus the monotonic time since. Setting the machine's clock during a meeting would
/// otherwise end the bot hours early, or leave a gap of hours when a browser is replaced.
/// </summary>
internal sealed class MonotonicClock(TimeProvider system) : TimeProvider
{
    private readonly DateTimeOffset _startedAt = system.GetUtcNow();
    private readonly long _startTimestamp = system.GetTimestamp();

    public override TimeZoneInfo LocalTimeZone => system.LocalTimeZone;

    public override long TimestampFrequency => system.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _startedAt + system.GetElapsedTime(_startTimestamp);

    public override long GetTimestamp() => system.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        system.CreateTimer(callback, state, dueTime, period);

    /// <summary>Converts a recent reading of the machine's clock to this clock. The machine's clock must not have been set since.</summary>
    public DateTimeOffset FromMachineTime(DateTimeOffset recent) => GetUtcNow() - (system.GetUtcNow() - recent);
}
