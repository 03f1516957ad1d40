using System.Text.Json;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// Passes on, within this process, what is heard of bots: one subscription in Redis serves however many look on. Nothing is
/// kept for them here; whoever is woken reads on from where they were.
/// </summary>
internal sealed class BotNotifier(IOptions<JsonOptions> json)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionId, List<AsyncAutoResetEvent>> _listeners = [];
    private readonly List<ChangedBots> _watchers = [];

    /// <summary>From now on <paramref name="signal"/> is raised whenever something was said of the bot, or may have been.</summary>
    public IDisposable Listen(SessionId id, AsyncAutoResetEvent signal)
    {
        lock (_lock)
        {
            if (!_listeners.TryGetValue(id, out var signals))
                _listeners[id] = signals = [];
            signals.Add(signal);
        }

        return new Ended(() =>
        {
            if (_listeners[id].Remove(signal) && _listeners[id].Count == 0)
                _listeners.Remove(id);
        }, _lock);
    }

    /// <summary>From now on <paramref name="changes"/> is given every bot that changes.</summary>
    public IDisposable Watch(ChangedBots changes)
    {
        lock (_lock)
            _watchers.Add(changes);
        return new Ended(() => _watchers.Remove(changes), _lock);
    }

    public void Wake(SessionId id)
    {
        lock (_lock)
        {
            if (_listeners.TryGetValue(id, out var signals))
                signals.ForEach(signal => signal.Raise());
        }
    }

    /// <summary>The record as it is now; said again without a change that shows, it is no news.</summary>
    public void Tell(Bot bot)
    {
        lock (_lock)
        {
            if (_watchers.Count == 0)
                return;
            var description = Describe(bot);
            _watchers.ForEach(watcher => watcher.Add(bot, description));
        }
    }

    public void TellDeleted(SessionId id, UserId owner)
    {
        var description = JsonSerializer.Serialize(new { Id = id.ToString() }, json.Value.SerializerOptions);
        lock (_lock)
            _watchers.ForEach(watcher => watcher.Remove(id, owner, description));
    }

    /// <summary>A bot as the API shows it, in one line.</summary>
    public string Describe(Bot bot) => JsonSerializer.Serialize(BotResponse.Of(bot), json.Value.SerializerOptions);

    private sealed class Ended(Action end, Lock gate) : IDisposable
    {
        public void Dispose()
        {
            lock (gate)
                end();
        }
    }
}
