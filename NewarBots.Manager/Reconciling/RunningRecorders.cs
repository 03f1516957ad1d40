using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// For how long this manager has seen each recorder run, and for how long nothing has come of it. By the machine's monotonic clock:
/// a wall clock that jumps makes no bot old, and a manager that starts anew begins to count anew.
/// </summary>
internal sealed class RunningRecorders(TimeProvider time)
{
    private Dictionary<SessionId, Sight> _sights = [];

    /// <summary>Looks once more.</summary>
    /// <param name="known">The records.</param>
    /// <param name="containers">All that there are; those that do not run, or that nobody knows yet, are forgotten.</param>
    /// <param name="folders">The sessions on the disk.</param>
    public IReadOnlyDictionary<SessionId, LifeSigns> Look(
        IReadOnlyDictionary<SessionId, Bot> known, IEnumerable<RecorderContainer> containers, IEnumerable<SessionOnDisk> folders)
    {
        var now = time.GetTimestamp();
        var writtenAt = folders.ToLookup(folder => folder.Id, folder => folder.WrittenAt);
        _sights = containers.Where(container => container.State is RecorderContainerState.Running && known.ContainsKey(container.Id)).ToDictionary(
            container => container.Id,
            container =>
            {
                var trace = (known[container.Id].LastSequence, writtenAt[container.Id].DefaultIfEmpty().Max());
                return _sights.TryGetValue(container.Id, out var before)
                    ? before with { Trace = trace, ChangedAt = trace == before.Trace ? before.ChangedAt : now }
                    : new Sight(now, now, trace);
            });
        return _sights.ToDictionary(
            sight => sight.Key,
            sight => new LifeSigns(time.GetElapsedTime(sight.Value.SeenAt, now), time.GetElapsedTime(sight.Value.ChangedAt, now)));
    }

    /// <param name="SeenAt">When it was seen first.</param>
    /// <param name="ChangedAt">When it was first seen as it is.</param>
    /// <param name="Trace">Its last word's number, and when it wrote last.</param>
    private readonly record struct Sight(long SeenAt, long ChangedAt, (long Sequence, DateTimeOffset WrittenAt) Trace);
}

/// <summary>What is known of a recorder that runs.</summary>
/// <param name="Seen">For so long it has been seen running, again and again.</param>
/// <param name="Silent">For so long it has neither said nor written anything.</param>
internal sealed record LifeSigns(TimeSpan Seen, TimeSpan Silent);
