using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// For how long this manager has seen each recorder run, and for how long nothing has come of it. By the machine's monotonic clock:
/// a wall clock that jumps makes no bot old and none young, and a manager that starts anew begins to count anew.
/// </summary>
internal sealed class LivenessTracker(TimeProvider time)
{
    private Dictionary<SessionId, Sight> _sights = [];

    /// <summary>Looks once more.</summary>
    /// <param name="known">The records.</param>
    /// <param name="containers">All that there are.</param>
    /// <param name="folders">The sessions on the disk.</param>
    public IReadOnlyDictionary<SessionId, Liveness> Look(
        IReadOnlyDictionary<SessionId, Bot> known, IEnumerable<RecorderContainer> containers, IEnumerable<SessionOnDisk> folders)
    {
        var now = time.GetTimestamp();
        var running = containers.Where(container => container.State is RecorderContainerState.Running).Select(container => container.Id).ToHashSet();
        var writtenAt = folders.ToLookup(folder => folder.Id, folder => folder.WrittenAt);
        _sights = known.Keys.Union(writtenAt.Select(folder => folder.Key)).ToDictionary(id => id, id =>
        {
            var before = _sights.GetValueOrDefault(id);
            var trace = (known.GetValueOrDefault(id)?.LastSequence, writtenAt[id].DefaultIfEmpty().Max());
            return new Sight(running.Contains(id) ? before?.RunsSince ?? now : null, before is not null && trace == before.Trace ? before.ChangedAt : now, trace);
        });
        return _sights.ToDictionary(
            sight => sight.Key,
            sight => new Liveness(time.GetElapsedTime(sight.Value.RunsSince ?? now, now), time.GetElapsedTime(sight.Value.ChangedAt, now)));
    }

    /// <param name="RunsSince">When it was first seen running, in every look since; <see langword="null"/> where it does not.</param>
    /// <param name="ChangedAt">When it was first seen as it is.</param>
    /// <param name="Trace">Its last word's number, where it is on record, and when it wrote last.</param>
    private sealed record Sight(long? RunsSince, long ChangedAt, (long? Sequence, DateTimeOffset WrittenAt) Trace);
}

/// <summary>What is known of a recorder.</summary>
/// <param name="Seen">For so long it has been seen running, again and again.</param>
/// <param name="Silent">For so long it has neither said nor written anything.</param>
internal sealed record Liveness(TimeSpan Seen, TimeSpan Silent);
