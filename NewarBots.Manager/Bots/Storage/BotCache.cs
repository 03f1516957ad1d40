using System.Collections.Concurrent;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// The records as this manager saw them last: for looking at while Redis is away, and for taking up bots that waited for their
/// container when it was emptied. Nothing else is decided by them. Ended bots are forgotten, oldest first, where there are very many.
/// </summary>
internal sealed class BotCache
{
    private const int Capacity = 2_000;

    private readonly ConcurrentDictionary<SessionId, Bot> _bots = new();
    private volatile int _tooMany = Capacity + Capacity / 10;

    public void Remember(Bot bot)
    {
        _bots[bot.Id] = bot;
        // In batches, since it means to look at all of them; and where none has ended, there is nothing to forget.
        if (_bots.Count <= _tooMany)
            return;
        ForgetOldest();
        _tooMany = Math.Max(_bots.Count, Capacity) + Capacity / 10;
    }

    public void Forget(SessionId id) => _bots.TryRemove(id, out _);

    public Bot? Find(SessionId id) => _bots.GetValueOrDefault(id);

    /// <summary>Newest first, those behind <paramref name="after"/> where it is given.</summary>
    public IEnumerable<Bot> Newest(UserId? user, SessionId? after) => _bots.Values
        .Where(bot => (user is null || bot.UserId == user) && (after is null || bot.Id < after))
        .OrderByDescending(bot => bot.Id);

    private void ForgetOldest()
    {
        foreach (var bot in _bots.Values.Where(bot => bot.Status.IsTerminal()).OrderBy(bot => bot.Id).Take(_bots.Count - Capacity))
            Forget(bot.Id);
    }
}
