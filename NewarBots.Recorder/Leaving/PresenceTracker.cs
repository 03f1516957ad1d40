using NewarBots.Contract;

namespace NewarBots.Recorder.Leaving;

/// <summary>
/// Determines who is in the call, by the names that the page shows. A participant whom the page no longer shows has left only if the page shows everybody it counts, for
/// <see cref="LeftAfter"/>: a page shows a limited number of tiles, and draws them anew while it rearranges them.
/// </summary>
internal sealed class PresenceTracker
{
    public static readonly TimeSpan LeftAfter = TimeSpan.FromSeconds(5);

    /// <summary>Names at the same time. A page may show anything, and managers keep no more.</summary>
    private const int MaxNames = 100;

    /// <summary>Later changes are not reported: the journal is needed for more.</summary>
    private const int MaxChanges = 5_000;

    private readonly Dictionary<string, Sight> _present = [];
    private int _changes;

    /// <param name="names">The names of all others that the page shows.</param>
    /// <param name="isEverybodyShown">The page shows as many others as it counts.</param>
    /// <param name="now">The time of the look.</param>
    public IReadOnlyList<Presence> Observe(IReadOnlyCollection<string> names, bool isEverybodyShown, DateTimeOffset now)
    {
        var changes = new List<Presence>();
        if (_changes >= MaxChanges)
            return changes;
        var shown = names.Where(name => name.Length is > 0 and <= Speech.MaxNameLength).ToHashSet();
        foreach (var name in shown.Where(name => _present.ContainsKey(name) || _present.Count < MaxNames))
        {
            if (!_present.ContainsKey(name))
                changes.Add(new(name, now.ToUnixTimeMilliseconds(), IsPresent: true));
            _present[name] = new(_present.GetValueOrDefault(name)?.Since ?? now, now);
        }

        foreach (var (name, sight) in _present.Where(sight => !shown.Contains(sight.Key)).ToList())
        {
            if (!isEverybodyShown)
                _present[name] = sight with { MissingSince = null };
            else if (sight.MissingSince is null)
                _present[name] = sight with { MissingSince = now };
            else if (now - sight.MissingSince >= LeftAfter)
            {
                _present.Remove(name);
                // Later than the first sight, also if that was the only one.
                changes.Add(new(name, Math.Max(sight.LastSeen.ToUnixTimeMilliseconds(), sight.Since.ToUnixTimeMilliseconds() + 1), IsPresent: false));
            }
        }

        _changes += changes.Count;
        return changes;
    }

    /// <param name="Since">When the page first showed the name.</param>
    /// <param name="LastSeen">When the page last showed the name.</param>
    /// <param name="MissingSince">Since when every look showed everybody without the name.</param>
    private sealed record Sight(DateTimeOffset Since, DateTimeOffset LastSeen, DateTimeOffset? MissingSince = null);
}
