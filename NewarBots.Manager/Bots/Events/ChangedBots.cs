using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// What one who looks on has not been told yet: each bot once, as it was last, or that it was deleted. However slow they are, it holds no
/// more than there are bots, or were since they began.
/// </summary>
/// <param name="user">Only this user's.</param>
internal sealed class ChangedBots(UserId? user)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionId, string> _latest = [];
    private readonly OrderedDictionary<SessionId, (string Type, string Json)> _pending = [];

    /// <summary>Who is deleted does not come back, whatever is told of it late.</summary>
    private readonly HashSet<SessionId> _deleted = [];

    public AsyncAutoResetEvent Added { get; } = new();

    public bool IsAny
    {
        get
        {
            lock (_lock)
                return _pending.Count > 0;
        }
    }

    /// <param name="bot">Which one.</param>
    /// <param name="description">What is to be told of it; the same as last is no change.</param>
    public void Add(Bot bot, string description)
    {
        if (user is not null && bot.UserId != user)
            return;
        lock (_lock)
        {
            if (_deleted.Contains(bot.Id) || _latest.GetValueOrDefault(bot.Id) == description)
                return;
            if (bot.Status.IsTerminal())
                _latest.Remove(bot.Id);
            else
                _latest[bot.Id] = description;
            _pending[bot.Id] = (BotEvents.BotType, description);
        }

        Added.Raise();
    }

    /// <param name="id">Which one was deleted.</param>
    /// <param name="owner">Whose it was.</param>
    /// <param name="description">What is to be told of that.</param>
    public void Remove(SessionId id, UserId owner, string description)
    {
        if (user is not null && owner != user)
            return;
        lock (_lock)
        {
            _latest.Remove(id);
            _deleted.Add(id);
            _pending[id] = (BotEvents.DeletedType, description);
        }

        Added.Raise();
    }

    /// <returns>Types of events, and their data.</returns>
    public IReadOnlyList<(string Type, string Json)> Take()
    {
        lock (_lock)
        {
            (string, string)[] taken = [.. _pending.Values];
            _pending.Clear();
            return taken;
        }
    }
}
