using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// Reads bots' event streams. A recorder appends to its own, and one that was taken over appends what it likes: an entry of hundreds of
/// megabytes would end the manager, and end it again whenever it reads on. So Redis itself leaves out what is too long to be a status message.
/// </summary>
internal static class EventStreamReading
{
    /// <summary>Characters; the longest that is ever said is an error's text.</summary>
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

    /// <param name="redis">Where the stream is.</param>
    /// <param name="id">The bot.</param>
    /// <param name="behind">The id of the entry that was read last.</param>
    /// <param name="atMost">How many are read.</param>
    public static async Task<IReadOnlyList<StreamMessage>> ReadEventsAsync(this IDatabase redis, SessionId id, string behind, int atMost)
    {
        var read = await redis.ScriptEvaluateAsync(
            Script, [RedisNames.EventStream(id)], [$"({behind}", atMost, RedisNames.MessageField, LongestMessage]);
        return [.. ((RedisResult[])read!).Select(entry => new StreamMessage((string)entry[0]!, (RedisValue)entry[1]))];
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
}

/// <param name="Id">Of the entry in the stream.</param>
/// <param name="Message">What it says; empty where it says nothing that could be a status message.</param>
internal sealed record StreamMessage(string Id, RedisValue Message);
