using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Exponential backoff for bots with failed attempts to launch, recover or end them: a minute after the first failure, five seconds if an outage
/// caused it, and up to an hour. Stops and messages have one each, so that a bot that cannot be stopped still ends at once. Kept in memory, by the
/// monotonic clock, so a manager retries each bot immediately after a restart.
/// </summary>
internal sealed class RetryBackoff(TimeProvider time)
{
    /// <summary>Key of the backoff of bots that cannot be stopped.</summary>
    public const string Stops = "stops";

    /// <summary>Key of the backoff of bots whose messages cannot be read.</summary>
    public const string Messages = "messages";

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestInOutage = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<SessionId, Postponement> _postponed = new();

    public IReadOnlyCollection<Postponement> All => [.. _postponed.Values];

    /// <summary>An attempt failed.</summary>
    /// <param name="id">The bot.</param>
    /// <param name="attempts">How many attempts have failed, this one included.</param>
    /// <param name="cause">The cause of this failure.</param>
    /// <param name="why">The error as one sentence, without paths and commands.</param>
    /// <returns>The time until the next attempt.</returns>
    public TimeSpan Postpone(SessionId id, int attempts, FailureCause cause, string why)
    {
        var wait = WaitAfter(attempts, cause);
        _postponed[id] = new(id, attempts, wait, time.GetTimestamp(), cause, why);
        return wait;
    }

    /// <summary>An attempt failed, and nothing but this manager counts the attempts.</summary>
    public TimeSpan Postpone(SessionId id, FailureCause cause, string why) => Postpone(id, AttemptsOf(id) + 1, cause, why);

    /// <inheritdoc cref="Postpone(SessionId, FailureCause, string)"/>
    public TimeSpan Postpone(SessionId id, Exception exception) => Postpone(id, Failures.CauseOf(exception), Failures.Explain(exception));

    /// <summary>Whether it is too early for the next attempt.</summary>
    public bool IsPostponed(SessionId id) => _postponed.TryGetValue(id, out var postponed) && !IsDue(postponed);

    /// <returns>The failed attempts that this manager knows of.</returns>
    public int AttemptsOf(SessionId id) => _postponed.TryGetValue(id, out var postponed) ? postponed.Attempts : 0;

    public void Forget(SessionId id) => _postponed.TryRemove(id, out _);

    /// <summary>Forgets all other bots.</summary>
    public void Keep(IReadOnlySet<SessionId> ids)
    {
        foreach (var id in _postponed.Keys.Where(id => !ids.Contains(id)))
            Forget(id);
    }

    /// <summary>That outage is over: the bots that it postponed are due at once.</summary>
    public void EndOutage(FailureCause cause)
    {
        foreach (var postponed in _postponed.Values.Where(postponed => postponed.Cause == cause))
            _postponed.TryUpdate(postponed.Id, postponed with { Wait = TimeSpan.Zero }, postponed);
    }

    /// <returns>The time until the next attempt; zero if it is due.</returns>
    public TimeSpan UntilNext(Postponement postponed)
    {
        var left = postponed.Wait - time.GetElapsedTime(postponed.At);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private bool IsDue(Postponement postponed) => UntilNext(postponed) == TimeSpan.Zero;

    /// <returns>The time between an attempt that failed and the next one.</returns>
    public static TimeSpan WaitAfter(int attempts, FailureCause cause)
    {
        var wait = (cause is FailureCause.Bot ? Shortest : ShortestInOutage) * Math.Pow(2, Math.Clamp(attempts, 1, 20) - 1);
        return wait < Longest ? wait : Longest;
    }
}

/// <param name="Id">The bot.</param>
/// <param name="Attempts">The number of failed attempts.</param>
/// <param name="Wait">The time from the last attempt to the next.</param>
/// <param name="At">The timestamp of the last failure.</param>
/// <param name="Cause">The cause of the last failure.</param>
/// <param name="Why">The error of the last attempt as one sentence.</param>
internal sealed record Postponement(SessionId Id, int Attempts, TimeSpan Wait, long At, FailureCause Cause, string Why);

/// <summary>Lists the bots that are retried. Degraded once attempts fail repeatedly.</summary>
internal sealed class RetryBackoffHealthCheck(RetryBackoff backoff) : IHealthCheck
{
    /// <summary>So few failures may be caused by a temporarily overloaded machine.</summary>
    private const int Tolerated = 2;

    private const int MaxNames = 20;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var postponed = backoff.All.OrderByDescending(bot => bot.Attempts).ThenBy(bot => bot.Id).ToList();
        if (postponed is [])
            return Task.FromResult(HealthCheckResult.Healthy());
        var more = postponed.Count > MaxNames ? $" {postponed.Count - MaxNames} more bots." : string.Empty;
        var description = $"{string.Join(" ", postponed.Take(MaxNames).Select(Describe))}{more}";
        return Task.FromResult(
            postponed[0].Attempts > Tolerated ? HealthCheckResult.Degraded(description) : HealthCheckResult.Healthy(description));
    }

    private string Describe(Postponement bot) => string.Create(
        CultureInfo.InvariantCulture,
        $"Bot {bot.Id}: {bot.Attempts} failed {(bot.Attempts == 1 ? "attempt" : "attempts")}, the next in {Math.Ceiling(backoff.UntilNext(bot).TotalMinutes):0} min. {bot.Why}");
}
