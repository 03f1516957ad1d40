using System.Text.Json;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// Notifies this process's event streams of changes of bots, so that one Redis subscription serves any number of clients. No events are
/// kept here; a woken client reads on from its own position.
/// </summary>
internal sealed class BotNotifier(IOptions<JsonOptions> json)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionId, List<BotListener>> _listeners = [];
    private readonly List<ChangedBots> _watchers = [];

    /// <summary>Wakes <paramref name="listener"/> whenever the bot has, or may have, a new event, until disposed of.</summary>
    public IDisposable Listen(SessionId id, BotListener listener)
    {
        lock (_lock)
        {
            if (!_listeners.TryGetValue(id, out var listeners))
                _listeners[id] = listeners = [];
            listeners.Add(listener);
        }

        return new Subscription(() =>
        {
            if (_listeners[id].Remove(listener) && _listeners[id].Count == 0)
                _listeners.Remove(id);
        }, _lock);
    }

    /// <summary>Adds every changed bot to <paramref name="changes"/>, until disposed of.</summary>
    public IDisposable Watch(ChangedBots changes)
    {
        lock (_lock)
            _watchers.Add(changes);
        return new Subscription(() => _watchers.Remove(changes), _lock);
    }

    /// <param name="id">The bot that has, or may have, a new event.</param>
    /// <param name="bot">Its current record; <see langword="null"/> if it has none.</param>
    public void Wake(SessionId id, Bot? bot)
    {
        lock (_lock)
        {
            if (_listeners.TryGetValue(id, out var listeners))
                listeners.ForEach(listener => listener.Wake(bot));
        }
    }

    /// <summary>Passes the current record to all watchers, which ignore it if nothing visible has changed.</summary>
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

    /// <summary>The bot's transcript has changed. Its end is an event of its own.</summary>
    public void TellTranscript(Bot bot)
    {
        lock (_lock)
        {
            if (_watchers.Count == 0)
                return;
            var description = Describe(bot);
            var type = TranscriptEvents.TypeOf(bot.Transcript) ?? BotEvents.BotType;
            _watchers.ForEach(watcher => watcher.Add(bot, description, type));
        }
    }

    public void TellDeleted(SessionId id, UserId owner)
    {
        var description = JsonSerializer.Serialize(new { Id = id.ToString() }, json.Value.SerializerOptions);
        lock (_lock)
            _watchers.ForEach(watcher => watcher.Remove(id, owner, description));
    }

    /// <summary>The API's representation of a bot, as one line of JSON.</summary>
    public string Describe(Bot bot) => JsonSerializer.Serialize(BotResponse.Of(bot), json.Value.SerializerOptions);

    /// <summary>The API's representation of a status message, as one line of JSON, whatever is in the Redis stream.</summary>
    public string Describe(StatusMessage message) => JsonSerializer.Serialize(StatusUpdate.Of(message), json.Value.SerializerOptions);

    /// <summary>The API's representation of an event about a participant or speaker, as one line of JSON.</summary>
    public string Describe(PersonChange change) => JsonSerializer.Serialize(change, json.Value.SerializerOptions);

    private sealed class Subscription(Action end, Lock gate) : IDisposable
    {
        public void Dispose()
        {
            lock (gate)
                end();
        }
    }
}

/// <summary>A client that follows one bot. It holds the latest record only, however slow the client is.</summary>
internal sealed class BotListener
{
    private CallPeople? _people;

    public AsyncAutoResetEvent Woken { get; } = new();

    /// <summary>The people in the call at the latest wake-up; <see langword="null"/> before the first.</summary>
    public CallPeople? People => Volatile.Read(ref _people);

    public void Wake(Bot? bot)
    {
        if (bot is not null)
            Volatile.Write(ref _people, bot.People);
        Woken.Raise();
    }
}
