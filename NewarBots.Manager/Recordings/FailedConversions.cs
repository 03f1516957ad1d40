using System.Collections.Concurrent;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Remembers conversions that failed, so that requests that are repeated do not cost the same work again and again: a minute after the first failure,
/// doubled up to an hour, and five seconds in an outage. Kept in memory.
/// </summary>
internal sealed class FailedConversions(TimeProvider time)
{
    private const int MaxKept = 1000;

    private readonly ConcurrentDictionary<string, Failure> _failed = new();

    /// <param name="target">Path of the file to make.</param>
    /// <exception cref="FailedEarlierException">It is too early for another attempt.</exception>
    public void ThrowIfTooEarly(string target)
    {
        if (_failed.TryGetValue(target, out var failed) && failed.Wait - time.GetElapsedTime(failed.At) is { Ticks: > 0 } left)
            throw new FailedEarlierException(failed.Why, left);
    }

    /// <summary>An attempt failed.</summary>
    public void Add(string target, Exception exception)
    {
        var cause = Failures.CauseOf(exception);
        var attempts = (_failed.TryGetValue(target, out var before) ? before.Attempts : 0) + 1;
        _failed[target] = new(attempts, RetryBackoff.WaitAfter(cause is FailureCause.Bot ? attempts : 1, cause), time.GetTimestamp(), Failures.Explain(exception));
        if (_failed.Count > MaxKept)
            _failed.TryRemove(_failed.MinBy(failed => failed.Value.At).Key, out _);
    }

    public void Forget(string target) => _failed.TryRemove(target, out _);

    private sealed record Failure(int Attempts, TimeSpan Wait, long At, string Why);
}

/// <summary>An earlier attempt failed, and it is too early for the next.</summary>
internal sealed class FailedEarlierException(string why, TimeSpan wait) : FinalizationException($"It failed before, and is not tried again for {wait}. {why}")
{
    /// <summary>Until the next attempt.</summary>
    public TimeSpan Wait => wait;

    public override string Explanation => why;
}
