using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// The changes that a watching client has not received yet: the latest state of each changed bot, or its deletion. However slow the
/// client is, this holds at most one entry of each type per bot.
/// </summary>
/// <param name="user">Only bots of this user, if given.</param>
internal sealed class ChangedBots(UserId? user)
{
    public const int MaxDeletedKept = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<SessionId, string> _latest = [];

    /// <summary>One event of each type for each bot.</summary>
    private readonly OrderedDictionary<(SessionId Bot, string Type), string> _pending = [];

    /// <summary>A late change must not bring a deleted bot back. It comes within seconds, so the latest deletions suffice.</summary>
    private readonly OrderedDictionary<SessionId, bool> _deleted = [];

    public AsyncAutoResetEvent Added { get; } = new();

    public bool IsAny
    {
        get
        {
            lock (_lock)
                return _pending.Count > 0;
        }
    }

    /// <param name="bot">The changed bot.</param>
    /// <param name="description">Its representation; ignored if it equals the previous one.</param>
    /// <param name="type">The type of the event.</param>
    public void Add(Bot bot, string description, string type = BotEvents.BotType)
    {
        if (user is not null && bot.UserId != user)
            return;
        lock (_lock)
        {
            if (_deleted.ContainsKey(bot.Id) || _latest.GetValueOrDefault(bot.Id) == description)
                return;
            if (bot.Status.IsTerminal())
                _latest.Remove(bot.Id);
            else
                _latest[bot.Id] = description;
            _pending[(bot.Id, type)] = description;
        }

        Added.Raise();
    }

    /// <param name="id">The deleted bot.</param>
    /// <param name="owner">Its user.</param>
    /// <param name="description">The data of the event.</param>
    public void Remove(SessionId id, UserId owner, string description)
    {
        if (user is not null && owner != user)
            return;
        lock (_lock)
        {
            _latest.Remove(id);
            _deleted[id] = true;
            if (_deleted.Count > MaxDeletedKept)
                _deleted.RemoveAt(0);
            foreach (var (bot, type) in _pending.Keys.Where(key => key.Bot == id).ToList())
                _pending.Remove((bot, type));
            _pending[(id, BotEvents.DeletedType)] = description;
        }

        Added.Raise();
    }

    /// <returns>The types and data of the pending events, which are removed.</returns>
    public IReadOnlyList<(string Type, string Json)> Take()
    {
        lock (_lock)
        {
            (string, string)[] taken = [.. _pending.Select(entry => (entry.Key.Type, entry.Value))];
            _pending.Clear();
            return taken;
        }
    }
}
