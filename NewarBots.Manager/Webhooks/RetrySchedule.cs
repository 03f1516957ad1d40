namespace NewarBots.Manager.Webhooks;

/// <summary>
/// When a message that was not taken is sent again: ever less often, for a day, and each a little later than that, by chance: what failed
/// at the same moment does not come back at the same moment.
/// </summary>
internal static class RetrySchedule
{
    public static IReadOnlyList<TimeSpan> Waits { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(8),
    ];

    /// <summary>Of the wait, by which chance prolongs it at most.</summary>
    public const double Spread = 0.1;

    /// <param name="failed">Attempts so far, all of them in vain.</param>
    /// <param name="asked">How long the receiver asked to be left alone, which counts where it is longer, up to the longest wait.</param>
    /// <param name="chance">From 0 to 1.</param>
    /// <returns><see langword="null"/>: it is given up.</returns>
    public static TimeSpan? WaitAfter(int failed, TimeSpan? asked, double chance)
    {
        if (failed > Waits.Count)
            return null;
        var wait = Waits[failed - 1];
        if (asked > wait)
            wait = asked.Value < Waits[^1] ? asked.Value : Waits[^1];
        return wait * (1 + Spread * chance);
    }
}
