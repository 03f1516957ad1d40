using System.Collections.Concurrent;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>
/// The records as this manager saw them last: for looking at while Redis is away, and for taking up bots that waited for their
/// container when it was emptied. Nothing else is decided by them. Ended bots are forgotten, oldest first, where there are very many.
/// </summary>
internal sealed class LastKnownBots
{
    private const int Capacity = 2_000;

    private readonly ConcurrentDictionary<SessionId, Bot> _bots = new();

    public void Remember(Bot bot)
    {
        _bots[bot.Id] = bot;
        // In batches, since it means to look at all of them.
        if (_bots.Count > Capacity + Capacity / 10)
            ForgetOldest();
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
