using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Measures how long this manager has observed each recorder running, and how long it has been inactive. Uses the monotonic
/// clock, so that jumps of the wall clock have no effect. A restart of the manager resets the measurement.
/// </summary>
internal sealed class LivenessTracker(TimeProvider time)
{
    private Dictionary<SessionId, Observation> _observations = [];

    /// <summary>Adds one observation of all recorders.</summary>
    /// <param name="known">The records.</param>
    /// <param name="containers">All containers of this stack.</param>
    /// <param name="folders">All session folders.</param>
    public IReadOnlyDictionary<SessionId, Liveness> Observe(
        IReadOnlyDictionary<SessionId, Bot> known, IEnumerable<RecorderContainer> containers, IEnumerable<SessionOnDisk> folders)
    {
        var now = time.GetTimestamp();
        var running = containers.Where(container => container.State is RecorderContainerState.Running).Select(container => container.Id).ToHashSet();
        var writtenAt = folders.ToLookup(folder => folder.Id, folder => folder.WrittenAt);
        _observations = known.Keys.Union(writtenAt.Select(folder => folder.Key)).ToDictionary(id => id, id =>
        {
            var before = _observations.GetValueOrDefault(id);
            var activity = (known.GetValueOrDefault(id)?.LastSequence, writtenAt[id].DefaultIfEmpty().Max());
            return new Observation(
                running.Contains(id) ? before?.RunningSince ?? now : null,
                before is not null && activity == before.Activity ? before.ActiveAt : now,
                activity);
        });
        return _observations.ToDictionary(
            entry => entry.Key,
            entry => new Liveness(time.GetElapsedTime(entry.Value.RunningSince ?? now, now), time.GetElapsedTime(entry.Value.ActiveAt, now)));
    }

    /// <param name="RunningSince">Timestamp of the first of the uninterrupted observations as running; <see langword="null"/> if it does not run.</param>
    /// <param name="ActiveAt">Timestamp of the first observation with this activity.</param>
    /// <param name="Activity">The last status message's sequence number, and the last write to the folder.</param>
    private sealed record Observation(long? RunningSince, long ActiveAt, (long? Sequence, DateTimeOffset WrittenAt) Activity);
}

/// <summary>Observations of one recorder by this manager.</summary>
/// <param name="Running">How long it has been observed running without interruption.</param>
/// <param name="Inactive">How long it has neither published a status nor written a file.</param>
internal sealed record Liveness(TimeSpan Running, TimeSpan Inactive);
