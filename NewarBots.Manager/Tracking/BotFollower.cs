using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Finalizing;
using StackExchange.Redis;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Brings a bot's record up to what its recorder has said, from where it was read last. The stream is the truth while
/// Redis has it; the journal in the session folder is the truth once the recorder is gone, whatever became of Redis.
/// </summary>
internal sealed partial class BotFollower(
    IConnectionMultiplexer redis, BotStore store, StorageLayout storage, ILogger<BotFollower> logger)
{
    private const int Batch = 200;

    /// <summary>Reads the bot's event stream on to its end.</summary>
    /// <returns>The record afterwards; <see langword="null"/> where there is none.</returns>
    public async Task<Bot?> FollowAsync(SessionId id)
    {
        Bot? bot;
        bool mayBeMore;
        do
        {
            mayBeMore = false;
            bot = await store.UpdateAsync(id, async known =>
            {
                var entries = known.Status.IsTerminal() ? [] : await ReadAsync(id, known.LastEventId);
                mayBeMore = entries.Length == Batch;
                if (entries.Length == 0)
                    return known;
                var messages = entries.Select(entry => Parse(id, entry[RedisNames.MessageField])).OfType<StatusMessage>();
                return messages.Aggregate(known, BotLifecycle.Heard) with { LastEventId = entries[^1].Id! };
            });
        }
        while (mayBeMore && bot is not null);
        return bot;
    }

    /// <summary>Reads what a recorder that is gone has left in its journal: all it ever said, sent or not.</summary>
    public Task<Bot?> ReadJournalAsync(Bot bot) => store.UpdateAsync(
        bot.Id,
        // Read anew for each attempt: it is not kept in memory as a whole.
        known => JournalFile.Lines(storage.SessionFolder(bot.UserId, bot.Id))
            .Select(line => Journal.TryParse(line)?.Status)
            .OfType<StatusMessage>()
            .Aggregate(known, BotLifecycle.Heard));

    private async Task<StreamEntry[]> ReadAsync(SessionId id, string behind)
    {
        try
        {
            return await redis.GetDatabase().StreamRangeAsync(RedisNames.EventStream(id), $"({behind}", maxId: "+", Batch);
        }
        catch (RedisServerException exception) when (exception.IsWrongType())
        {
            // Nothing could ever be said again: the journal has it all, and the recorder goes on with a stream of its own.
            if (await redis.GetDatabase().KeyDeleteAsync(RedisNames.EventStream(id)))
                Log.NoStream(logger, id, exception.Message);
            return [];
        }
    }

    /// <returns><see langword="null"/> for what is no status message of this bot.</returns>
    public static StatusMessage? TryRead(SessionId id, RedisValue json)
    {
        try
        {
            var message = json.IsNull ? null : JsonSerializer.Deserialize((string)json!, ContractJson.Default.StatusMessage);
            return message?.SessionId == id && message.IsPlausible ? message : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private StatusMessage? Parse(SessionId id, RedisValue json)
    {
        if (TryRead(id, json) is { } message)
            return message;
        Log.IgnoredEvent(logger, id, json.ToString());
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Where the event stream of bot {SessionId} should be, Redis holds something else, which is removed: {Why}")]
        public static partial void NoStream(ILogger logger, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "Ignored an entry on the event stream of bot {SessionId} that is no status message of it: {Entry}")]
        public static partial void IgnoredEvent(ILogger logger, SessionId sessionId, string entry);
    }
}
