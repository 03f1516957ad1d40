namespace NewarBots.Manager.Hosting;

/// <summary>
/// Whether the clock can be believed when it says that something is old. One that was set ahead, by a mistake or a broken time server, would
/// have every recording removed at once: for an hour after that there is time to set it right.
/// </summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>More than this a time server that does its work does not set it by.</summary>
    private static readonly TimeSpan Jump = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan DoubtedFor = TimeSpan.FromHours(1);

    private (DateTimeOffset Wall, long At)? _seen;
    private long? _jumpedAt;

    /// <summary>By how much the clock was set since it was looked at last, where that is much.</summary>
    public TimeSpan? Look()
    {
        var (wall, at) = (time.GetUtcNow(), time.GetTimestamp());
        var set = _seen is { } seen ? wall - seen.Wall - time.GetElapsedTime(seen.At, at) : TimeSpan.Zero;
        _seen = (wall, at);
        if (set.Duration() <= Jump)
            return null;
        _jumpedAt = set > TimeSpan.Zero ? at : null;
        return set;
    }

    public bool IsDoubted => _jumpedAt is { } at && time.GetElapsedTime(at) < DoubtedFor;
}
