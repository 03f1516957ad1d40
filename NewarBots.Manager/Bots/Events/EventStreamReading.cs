using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Events;

/// <summary>Reads bots' event streams, which only managers write.</summary>
internal static class EventStreamReading
{
    /// <param name="redis">The database.</param>
    /// <param name="id">The bot.</param>
    /// <param name="behind">The id of the last entry that was read.</param>
    /// <param name="atMost">How many entries are read.</param>
    public static Task<StreamEntry[]> ReadEventsAsync(this IDatabase redis, SessionId id, string behind, int atMost) =>
        redis.StreamRangeAsync(RedisNames.EventStream(id), $"({behind}", "+", atMost);

    /// <returns>The message; <see langword="null"/> if the entry is no status message of this bot.</returns>
    public static StatusMessage? TryRead(SessionId id, StreamEntry entry)
    {
        try
        {
            var json = entry[RedisNames.MessageField];
            var message = json.IsNull ? null : JsonSerializer.Deserialize((string)json!, ContractJson.Default.StatusMessage);
            return message?.SessionId == id ? message : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
