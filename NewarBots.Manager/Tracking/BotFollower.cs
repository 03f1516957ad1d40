using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Brings a bot's record up to what its recorder has said, from where it was read last. The stream is the truth while
/// Redis has it; the journal in the session folder is the truth once the recorder is gone, whatever became of Redis.
/// </summary>
internal sealed partial class BotFollower(
    IConnectionMultiplexer redis, BotCommands commands, StorageLayout storage, ILogger<BotFollower> logger)
{
    private const int Batch = 200;

    /// <summary>Characters, in the log.</summary>
    private const int LongestShown = 200;

    /// <summary>Reads the bot's event stream on to its end.</summary>
    /// <returns>The record afterwards; <see langword="null"/> where there is none.</returns>
    public async Task<Bot?> FollowAsync(SessionId id)
    {
        Bot? bot;
        bool mayBeMore;
        do
        {
            mayBeMore = false;
            bot = await commands.UpdateAsync(id, async known =>
            {
                var entries = known.Status.IsTerminal() ? [] : await redis.GetDatabase().ReadEventsAsync(id, known.LastEventId, Batch);
                mayBeMore = entries.Count == Batch;
                if (entries.Count == 0)
                    return known;
                return Messages(id, entries).Aggregate(known, BotLifecycle.Heard) with { LastEventId = entries[^1].Id };
            });
        }
        while (mayBeMore && bot is not null);
        return bot;
    }

    /// <summary>Reads what a recorder that is gone has left in its journal: all it ever said, sent or not.</summary>
    public Task<Bot?> ReadJournalAsync(Bot bot) => commands.UpdateAsync(
        bot.Id,
        // Read anew for each attempt: it is not kept in memory as a whole.
        known => JournalFile.Lines(storage.SessionFolder(bot.UserId, bot.Id))
            .Select(line => Journal.TryParse(line)?.Status)
            .OfType<StatusMessage>()
            .Aggregate(known, BotLifecycle.Heard));

    private List<StatusMessage> Messages(SessionId id, IReadOnlyList<StreamMessage> entries)
    {
        var read = entries.Select(entry => (entry.Message, Status: EventStreamReading.TryRead(id, entry.Message))).ToList();
        // One line, however many: a recorder that says garbage does not fill the log with it.
        var others = read.Where(entry => entry.Status is null).Select(entry => (string)entry.Message!).ToList();
        if (others.Count > 0)
            Log.IgnoredEvents(logger, id, others.Count, others[0].Length > LongestShown ? $"{others[0][..LongestShown]}…" : others[0]);
        return [.. read.Select(entry => entry.Status).OfType<StatusMessage>()];
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Ignored {Count} entries on the event stream of bot {SessionId} that are no status messages of it, the first of them: {Entry}")]
        public static partial void IgnoredEvents(ILogger logger, SessionId sessionId, int count, string entry);
    }
}
