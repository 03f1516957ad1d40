namespace NewarBots.Manager.Webhooks;

/// <summary>The delays between attempts. They grow over a day. Random jitter spreads messages that failed at the same moment.</summary>
internal static class RetrySchedule
{
    public static IReadOnlyList<TimeSpan> Delays { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(8),
    ];

    /// <summary>The largest jitter, as a fraction of the delay.</summary>
    public const double MaxJitter = 0.1;

    /// <param name="failedAttempts">The number of failed attempts so far.</param>
    /// <param name="retryAfter">The receiver's Retry-After. It extends the delay, up to the longest one.</param>
    /// <param name="jitter">From 0 (none) to 1 (<see cref="MaxJitter"/>).</param>
    /// <returns>The delay until the next attempt; <see langword="null"/> after the last one.</returns>
    public static TimeSpan? DelayAfter(int failedAttempts, TimeSpan? retryAfter, double jitter)
    {
        if (failedAttempts > Delays.Count)
            return null;
        var delay = Delays[failedAttempts - 1];
        if (retryAfter > delay)
            delay = retryAfter.Value < Delays[^1] ? retryAfter.Value : Delays[^1];
        return delay * (1 + MaxJitter * jitter);
    }
}
