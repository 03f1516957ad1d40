using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// Tells a client what is said of bots. Each reads the bot's stream in Redis on at a pace of its own, so that a slow one costs
/// no memory and misses nothing; what it waits for is shared (<see cref="BotNotifier"/>). While Redis is away it hears nothing, and
/// everything afterwards.
/// </summary>
internal sealed class BotEvents(IConnectionMultiplexer redis, BotQueries queries, BotNotifier news, TimeProvider time)
{
    /// <summary>A status message; its id is that of its entry in the bot's stream.</summary>
    public const string StatusType = "status";

    /// <summary>The last event of a bot's stream: the bot as it has ended.</summary>
    public const string EndType = "end";

    /// <summary>A bot as it is now.</summary>
    public const string BotType = "bot";

    /// <summary>A bot's id: there is no such bot any more.</summary>
    public const string DeletedType = "deleted";

    public const string FromTheBeginning = "0-0";

    private const int Batch = 200;

    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(5);

    /// <returns>
    /// There is something to be sent to a client that was told everything up to <paramref name="after"/>, or there may be: that cannot
    /// be told while Redis is away.
    /// </returns>
    public async Task<bool> HasMoreAsync(Bot bot, string after)
    {
        try
        {
            return !bot.Status.IsTerminal() || !redis.IsConnected || (await ReadAsync(bot.Id, after)).Count > 0;
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            return true;
        }
    }

    /// <summary>Everything that was said of one bot, and what is said until its end.</summary>
    /// <param name="id">The bot.</param>
    /// <param name="after">The id of the entry that was sent last.</param>
    /// <param name="stream">To the client.</param>
    /// <param name="cancellation">The client has gone, or the manager goes.</param>
    public async Task FollowAsync(SessionId id, string after, EventStream stream, CancellationToken cancellation)
    {
        var woken = new AsyncAutoResetEvent();
        using var listening = news.Listen(id, woken);
        await stream.OpenAsync(cancellation);
        long? lookedAt = null;
        var isSaidToHaveEnded = false;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                // The record before the stream: a bot's end and its last message are written in one step, so that whoever sees
                // the one finds the other.
                var isDue = lookedAt is not { } before || time.GetElapsedTime(before) >= EventStream.SignOfLifeAfter;
                var bot = isDue ? await queries.FindAsync(id) : null;
                if (isDue && bot is null)
                    return;
                if (isDue)
                    lookedAt = time.GetTimestamp();

                while (await ReadAsync(id, after) is { Count: > 0 } entries)
                {
                    isSaidToHaveEnded |= Append(id, entries, stream);
                    await stream.FlushAsync(cancellation);
                    after = entries[^1].Id;
                }

                if (isSaidToHaveEnded)
                    bot = await queries.FindAsync(id);
                if (bot?.Status.IsTerminal() is true)
                {
                    stream.Append(EndType, id: null, news.Describe(bot));
                    await stream.FlushAsync(cancellation);
                    return;
                }
            }
            catch (Exception exception) when (exception.IsRedisAway())
            {
                // The stream stays open; the client is told once Redis is back.
            }

            await stream.KeepAliveAsync(cancellation);
            await woken.WaitAsync(LookAgainAfter, time, cancellation);
        }
    }

    /// <summary>All bots that are active or scheduled, and each bot whenever it changes or is deleted; without end.</summary>
    public async Task WatchAsync(UserId? user, EventStream stream, CancellationToken cancellation)
    {
        var changes = new ChangedBots(user);
        using var watching = news.Watch(changes);
        foreach (var bot in (await queries.ActiveAsync()).Concat(await queries.ScheduledAsync()))
            changes.Add(bot, news.Describe(bot));
        await stream.OpenAsync(cancellation);
        while (!cancellation.IsCancellationRequested)
        {
            foreach (var (type, json) in changes.Take())
                stream.Append(type, id: null, json);
            await stream.FlushAsync(cancellation);
            do
            {
                await changes.Added.WaitAsync(LookAgainAfter, time, cancellation);
                await stream.KeepAliveAsync(cancellation);
            }
            while (!changes.IsAny && !cancellation.IsCancellationRequested);
        }
    }

    /// <returns>An end was among them.</returns>
    private static bool Append(SessionId id, IReadOnlyList<StreamMessage> entries, EventStream stream)
    {
        var hasEnd = false;
        foreach (var entry in entries)
        {
            if (EventStreamReading.TryRead(id, entry.Message) is not { } message)
                continue;
            // Written anew: whatever lies in the stream, this is one line.
            stream.Append(StatusType, entry.Id, JsonSerializer.Serialize(message, ContractJson.Default.StatusMessage));
            hasEnd |= message.Status.IsTerminal();
        }

        return hasEnd;
    }

    private async Task<IReadOnlyList<StreamMessage>> ReadAsync(SessionId id, string after)
    {
        return redis.IsConnected ? await redis.GetDatabase().ReadEventsAsync(id, after, Batch) : [];
    }
}
