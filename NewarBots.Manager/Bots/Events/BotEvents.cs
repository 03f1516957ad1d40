using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// Streams events of bots to clients. Each client reads the bot's Redis stream at its own pace, so a slow client costs no memory and
/// misses nothing. Wake-ups are shared (<see cref="BotNotifier"/>). While Redis is unreachable no events are sent; clients catch up
/// afterwards.
/// </summary>
internal sealed class BotEvents(IConnectionMultiplexer redis, BotQueries queries, BotNotifier notifier, TimeProvider time)
{
    /// <summary>A status message; its id is the id of its entry in the bot's stream.</summary>
    public const string StatusType = "status";

    /// <summary>The last event of a bot's stream: the ended bot.</summary>
    public const string EndType = "end";

    /// <summary>The current state of a bot.</summary>
    public const string BotType = "bot";

    /// <summary>The id of a deleted bot.</summary>
    public const string DeletedType = "deleted";

    public const string FromTheBeginning = "0-0";

    private const int Batch = 200;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);

    /// <returns>
    /// Whether there are events, or may be some later, for a client that has received everything up to <paramref name="after"/>. While
    /// Redis is unreachable the answer is <see langword="true"/>.
    /// </returns>
    public async Task<bool> HasMoreAsync(Bot bot, string after)
    {
        try
        {
            return !bot.Status.IsTerminal() || !redis.IsConnected || (await ReadAsync(bot.Id, after)).Length > 0;
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            return true;
        }
    }

    /// <summary>Sends the past and future status messages of one bot, until it ends.</summary>
    /// <param name="id">The bot.</param>
    /// <param name="after">The id of the entry that the client received last.</param>
    /// <param name="stream">The response.</param>
    /// <param name="cancellation">Cancelled when the client disconnects or the manager stops.</param>
    public async Task FollowAsync(SessionId id, string after, EventStream stream, CancellationToken cancellation)
    {
        var listener = new BotListener();
        using var listening = notifier.Listen(id, listener);
        await stream.OpenAsync(cancellation);
        var people = CallPeople.None;
        long? checkedAt = null;
        var hasEnd = false;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                // Read the record before the stream: a bot's end and its last message are written atomically, so after seeing the
                // end the last message is certainly found.
                var isDue = checkedAt is not { } before || time.GetElapsedTime(before) >= EventStream.KeepAliveInterval;
                var bot = isDue ? await queries.FindAsync(id) : null;
                if (isDue && bot is null)
                    return;
                if (isDue)
                    checkedAt = time.GetTimestamp();

                while (await ReadAsync(id, after) is { Length: > 0 } entries)
                {
                    hasEnd |= Append(id, entries, stream);
                    await stream.FlushAsync(cancellation);
                    after = entries[^1].Id!;
                }

                if (hasEnd)
                    bot = await queries.FindAsync(id);
                if ((bot?.People ?? listener.People) is { } current && current.Changes > people.Changes)
                {
                    foreach (var (type, change) in PeopleEvents.Between(id, people, current))
                        stream.Append(type, id: null, notifier.Describe(change));
                    await stream.FlushAsync(cancellation);
                    people = current;
                }

                if (bot?.Status.IsTerminal() is true)
                {
                    stream.Append(EndType, id: null, notifier.Describe(bot));
                    await stream.FlushAsync(cancellation);
                    return;
                }
            }
            catch (Exception exception) when (exception.IsRedisUnavailable())
            {
                // The response stays open; the client catches up once Redis is reachable again.
            }

            await stream.KeepAliveAsync(cancellation);
            await listener.Woken.WaitAsync(CheckInterval, time, cancellation);
        }
    }

    /// <summary>Sends all active and scheduled bots, then every change and deletion, until cancelled.</summary>
    public async Task WatchAsync(UserId? user, EventStream stream, CancellationToken cancellation)
    {
        var changes = new ChangedBots(user);
        using var watching = notifier.Watch(changes);
        foreach (var bot in (await queries.ActiveAsync()).Concat(await queries.ScheduledAsync()))
            changes.Add(bot, notifier.Describe(bot));
        await stream.OpenAsync(cancellation);
        while (!cancellation.IsCancellationRequested)
        {
            foreach (var (type, json) in changes.Take())
                stream.Append(type, id: null, json);
            await stream.FlushAsync(cancellation);
            do
            {
                await changes.Added.WaitAsync(CheckInterval, time, cancellation);
                await stream.KeepAliveAsync(cancellation);
            }
            while (!changes.IsAny && !cancellation.IsCancellationRequested);
        }
    }

    /// <returns>Whether the bot's end was among them.</returns>
    private bool Append(SessionId id, IReadOnlyList<StreamEntry> entries, EventStream stream)
    {
        var hasEnd = false;
        foreach (var entry in entries)
        {
            if (EventStreamReading.TryRead(id, entry) is not { } message)
                continue;
            stream.Append(StatusType, (string)entry.Id!, notifier.Describe(message));
            hasEnd |= message.Status.IsTerminal();
        }

        return hasEnd;
    }

    private async Task<StreamEntry[]> ReadAsync(SessionId id, string after) =>
        redis.IsConnected ? await redis.GetDatabase().ReadEventsAsync(id, after, Batch) : [];
}
