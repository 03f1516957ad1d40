using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Applies a recorder's messages to its bot's record, from the last position read. While the recorder runs, the messages come from the Redis
/// stream. After it has exited, the journal in the session folder is complete, whatever happened to Redis.
/// </summary>
internal sealed partial class BotFollower(
    IConnectionMultiplexer redis, BotCommands commands, StorageLayout storage, ILogger<BotFollower> logger)
{
    private const int Batch = 200;

    /// <summary>Characters of an ignored entry in the log.</summary>
    private const int MaxShown = 200;

    /// <summary>Reads the bot's event stream from the last position to its end.</summary>
    /// <returns>The updated record; <see langword="null"/> if there is none.</returns>
    public async Task<Bot?> FollowAsync(SessionId id)
    {
        Bot? bot;
        bool hasMore;
        do
        {
            hasMore = false;
            bot = await commands.UpdateAsync(id, async known =>
            {
                var entries = known.Status.IsTerminal() ? [] : await redis.GetDatabase().ReadEventsAsync(id, known.LastEventId, Batch);
                hasMore = entries.Count == Batch;
                if (entries.Count == 0)
                    return known;
                return Messages(id, entries).Aggregate(known, BotLifecycle.StatusReceived) with { LastEventId = entries[^1].Id };
            });
        }
        while (hasMore && bot is not null);
        return bot;
    }

    /// <summary>Reads the journal of a recorder that has exited. It has every message, published or not.</summary>
    public Task<Bot?> ReadJournalAsync(Bot bot) => commands.UpdateAsync(
        bot.Id,
        // Read again for each attempt, so that it is never in memory as a whole.
        known => JournalFile.Lines(storage.SessionFolder(bot.UserId, bot.Id))
            .Select(line => Journal.TryParse(line)?.Status)
            .OfType<StatusMessage>()
            .Aggregate(known, BotLifecycle.StatusReceived));

    private List<StatusMessage> Messages(SessionId id, IReadOnlyList<StreamMessage> entries)
    {
        var read = entries.Select(entry => (entry.Message, Status: EventStreamReading.TryRead(id, entry.Message))).ToList();
        // One log line for all of them, so that a recorder cannot flood the log.
        var others = read.Where(entry => entry.Status is null).Select(entry => (string)entry.Message!).ToList();
        if (others.Count > 0)
            Log.IgnoredEvents(logger, id, others.Count, others[0].Length > MaxShown ? $"{others[0][..MaxShown]}…" : others[0]);
        return [.. read.Select(entry => entry.Status).OfType<StatusMessage>()];
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Ignored {Count} entries on the event stream of bot {SessionId} that are no status messages of this bot. The first: {Entry}")]
        public static partial void IgnoredEvents(ILogger logger, SessionId sessionId, int count, string entry);
    }
}
