namespace NewarBots.Manager.Hosting;

/// <summary>
/// By how much the system clock was set back since the manager started. Times by that clock, such as those of a container's start and end, may be too
/// close to each other by as much.
/// </summary>
internal sealed class ClockSetBack(TimeProvider time)
{
    private readonly DateTimeOffset _wall = time.GetUtcNow();
    private readonly long _at = time.GetTimestamp();

    /// <summary>Never negative.</summary>
    public TimeSpan Total => time.GetElapsedTime(_at) - (time.GetUtcNow() - _wall) is { Ticks: > 0 } setBack ? setBack : TimeSpan.Zero;
}
