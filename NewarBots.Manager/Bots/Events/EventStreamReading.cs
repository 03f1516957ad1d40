using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// Reads bots' event streams. A recorder appends to its own stream, and a compromised recorder can append anything: an entry of hundreds
/// of megabytes would crash the manager again and again. So the script in Redis omits messages that are too long.
/// </summary>
internal static class EventStreamReading
{
    /// <summary>In bytes; the longest regular messages hold an error text.</summary>
    private const int LongestMessage = 16 * 1024;

    private const string Script = """
        local read = {}
        for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
            local message = ''
            for field = 1, #entry[2], 2 do
                if entry[2][field] == ARGV[3] and #entry[2][field + 1] <= tonumber(ARGV[4]) then message = entry[2][field + 1] end
            end
            read[#read + 1] = {entry[1], message}
        end
        return read
        """;

    /// <param name="redis">The database.</param>
    /// <param name="id">The bot.</param>
    /// <param name="behind">The id of the last entry that was read.</param>
    /// <param name="atMost">How many entries are read.</param>
    public static async Task<IReadOnlyList<StreamMessage>> ReadEventsAsync(this IDatabase redis, SessionId id, string behind, int atMost)
    {
        var read = await redis.ScriptEvaluateAsync(
            Script, [RedisNames.EventStream(id)], [$"({behind}", atMost, RedisNames.MessageField, LongestMessage]);
        return [.. ((RedisResult[])read!).Select(entry => new StreamMessage((string)entry[0]!, (RedisValue)entry[1]))];
    }

    /// <returns>The message; <see langword="null"/> if it is not a status message of this bot.</returns>
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
}

/// <param name="Id">The id of the entry.</param>
/// <param name="Message">Its message; empty if it has none or one that is too long.</param>
internal sealed record StreamMessage(string Id, RedisValue Message);
