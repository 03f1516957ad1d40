namespace NewarBots.Manager.Hosting;

/// <summary>
/// Detects that the system clock was set, by comparing it with the monotonic clock. A clock set far ahead by mistake would make every
/// recording look old enough to be removed, so it is distrusted for an hour, in which somebody can correct it.
/// </summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>A working time server corrects a clock by less than this.</summary>
    private static readonly TimeSpan Jump = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan DistrustedFor = TimeSpan.FromHours(1);

    private (DateTimeOffset Wall, long At)? _previous;
    private long? _jumpedAt;

    /// <summary>To be called regularly.</summary>
    /// <returns>By how much the clock was set since the last call; <see langword="null"/> for small corrections.</returns>
    public TimeSpan? Check()
    {
        var (wall, at) = (time.GetUtcNow(), time.GetTimestamp());
        var set = _previous is { } previous ? wall - previous.Wall - time.GetElapsedTime(previous.At, at) : TimeSpan.Zero;
        _previous = (wall, at);
        if (set.Duration() <= Jump)
            return null;
        _jumpedAt = set > TimeSpan.Zero ? at : null;
        return set;
    }

    public bool IsDistrusted => _jumpedAt is { } at && time.GetElapsedTime(at) < DistrustedFor;
}
