using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Exponential backoff for bots whose finalization FFmpeg did not complete (it was killed or timed out). Each attempt can cost minutes of CPU,
/// so attempts become rare; they never stop, because the audio itself is intact. Kept in memory, by the monotonic clock.
/// </summary>
internal sealed class RetryBackoff(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<SessionId, Postponement> _postponed = new();

    public IReadOnlyCollection<Postponement> All => [.. _postponed.Values];

    /// <summary>An attempt failed.</summary>
    /// <returns>The time until the next attempt.</returns>
    public TimeSpan Postpone(SessionId id, string why) => _postponed.AddOrUpdate(
        id,
        _ => new(id, Attempts: 1, Shortest, time.GetTimestamp(), why),
        (_, before) => new(id, before.Attempts + 1, 2 * before.Wait < Longest ? 2 * before.Wait : Longest, time.GetTimestamp(), why)).Wait;

    /// <summary>Whether it is too early for the next attempt.</summary>
    public bool IsPostponed(SessionId id) =>
        _postponed.TryGetValue(id, out var postponed) && time.GetElapsedTime(postponed.At) < postponed.Wait;

    public void Forget(SessionId id) => _postponed.TryRemove(id, out _);
}

/// <param name="Id">The bot.</param>
/// <param name="Attempts">The number of failed attempts.</param>
/// <param name="Wait">The time from the last attempt to the next.</param>
/// <param name="At">The timestamp of the last failure.</param>
/// <param name="Why">The error of the last attempt.</param>
internal sealed record Postponement(SessionId Id, int Attempts, TimeSpan Wait, long At, string Why);

/// <summary>Reports recordings that FFmpeg fails to assemble again and again.</summary>
internal sealed class RetryBackoffHealthCheck(RetryBackoff backoff) : IHealthCheck
{
    /// <summary>So few failures may be caused by a temporarily overloaded machine.</summary>
    private const int Tolerated = 2;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var stuck = backoff.All.Where(postponed => postponed.Attempts > Tolerated).OrderBy(postponed => postponed.Id).ToList();
        return Task.FromResult(stuck is []
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(
                $"{stuck.Count} recordings cannot be assembled, because FFmpeg is killed or times out. {stuck[0].Id}, tried {stuck[0].Attempts} times: {stuck[0].Why}"));
    }
}
