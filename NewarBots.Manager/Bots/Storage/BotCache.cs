using System.Collections.Concurrent;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// The latest record of each bot that this manager has seen. Serves reads while Redis is unreachable, and restores bots that waited for
/// their container when Redis was emptied; nothing else depends on it. Above the capacity, the oldest ended bots are dropped.
/// </summary>
internal sealed class BotCache
{
    private const int Capacity = 2_000;

    private readonly ConcurrentDictionary<SessionId, Bot> _bots = new();
    private volatile int _limit = Capacity + Capacity / 10;

    public void Remember(Bot bot)
    {
        _bots[bot.Id] = bot;
        // In batches, because dropping scans all bots. Active bots are never dropped, so the limit grows with them.
        if (_bots.Count <= _limit)
            return;
        ForgetOldest();
        _limit = Math.Max(_bots.Count, Capacity) + Capacity / 10;
    }

    public void Forget(SessionId id) => _bots.TryRemove(id, out _);

    public Bot? Find(SessionId id) => _bots.GetValueOrDefault(id);

    public IEnumerable<Bot> Newest() => _bots.Values.OrderByDescending(bot => bot.Id);

    private void ForgetOldest()
    {
        foreach (var bot in _bots.Values.Where(bot => bot.Status.IsTerminal()).OrderBy(bot => bot.Id).Take(_bots.Count - Capacity))
            Forget(bot.Id);
    }
}
