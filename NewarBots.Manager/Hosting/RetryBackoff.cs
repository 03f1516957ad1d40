using System.Collections.Concurrent;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Bots whose end FFmpeg did not live to see. Trying costs minutes of a processor each time, so it is done less and less often; it is
/// never given up, because nothing is wrong with the audio. By the monotonic clock, and forgotten with this process.
/// </summary>
internal sealed class RetryBackoff(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<SessionId, Postponement> _postponed = new();

    public IReadOnlyCollection<Postponement> All => [.. _postponed.Values];

    /// <summary>Once more it has come to nothing.</summary>
    /// <returns>When it is tried again at the earliest.</returns>
    public TimeSpan Postpone(SessionId id, string why) => _postponed.AddOrUpdate(
        id,
        _ => new(id, Attempts: 1, Shortest, time.GetTimestamp(), why),
        (_, before) => new(id, before.Attempts + 1, 2 * before.Wait < Longest ? 2 * before.Wait : Longest, time.GetTimestamp(), why)).Wait;

    /// <summary>It is not to be tried yet.</summary>
    public bool IsPostponed(SessionId id) =>
        _postponed.TryGetValue(id, out var postponed) && time.GetElapsedTime(postponed.At) < postponed.Wait;

    public void Forget(SessionId id) => _postponed.TryRemove(id, out _);
}

/// <param name="Id">Whose end.</param>
/// <param name="Attempts">How many have failed.</param>
/// <param name="Wait">From the last one to the next.</param>
/// <param name="At">When the last one failed: a timestamp.</param>
/// <param name="Why">What it failed by.</param>
internal sealed record Postponement(SessionId Id, int Attempts, TimeSpan Wait, long At, string Why);
