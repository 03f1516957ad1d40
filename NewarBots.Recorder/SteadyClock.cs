namespace NewarBots.Recorder;

/// <summary>
/// Wall-clock time as it was when the recorder began, plus the time that has passed since. Somebody may set the machine's clock at any
/// moment: by it a bot would leave hours too early, and a browser that is replaced meanwhile would leave a gap of hours.
/// </summary>
internal sealed class SteadyClock(TimeProvider system) : TimeProvider
{
    private readonly DateTimeOffset _began = system.GetUtcNow();
    private readonly long _beganAt = system.GetTimestamp();

    public override TimeZoneInfo LocalTimeZone => system.LocalTimeZone;

    public override long TimestampFrequency => system.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _began + system.GetElapsedTime(_beganAt);

    public override long GetTimestamp() => system.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        system.CreateTimer(callback, state, dueTime, period);

    /// <param name="justNow">What the machine's clock said a moment ago, since when nobody has set it.</param>
    public DateTimeOffset Read(DateTimeOffset justNow) => GetUtcNow() - (system.GetUtcNow() - justNow);
}
