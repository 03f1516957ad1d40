using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>Reports like a recorder: writes to the journal in the session folder, then publishes on the channel.</summary>
internal static class RecorderJournal
{
    public static Task ReportAsync(this IConnectionMultiplexer redis, string storage, UserId user, StatusMessage message)
    {
        Write(storage, user, message.SessionId, Journal.Format(new(Status: message)));
        return redis.GetSubscriber().PublishAsync(
            RedisChannel.Literal(RedisNames.StatusChannel(message.SessionId)), JsonSerializer.Serialize(message, ContractJson.Default.StatusMessage));
    }

    /// <summary>Appends lines, each with its line break, without publishing anything.</summary>
    public static void Write(string storage, UserId user, SessionId id, params IEnumerable<string> lines)
    {
        var path = PathOf(storage, user, id);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.AppendAllText(path, string.Concat(lines.Select(line => line + "\n")));
    }

    public static string PathOf(string storage, UserId user, SessionId id) =>
        Path.Combine(new StorageLayout(storage).SessionFolder(user, id), Journal.FileName);

    /// <summary>The messages on the bot's event stream.</summary>
    public static async Task<IReadOnlyList<StatusMessage>> EventsOfAsync(this IConnectionMultiplexer redis, SessionId id) =>
    [
        .. (await redis.GetDatabase().StreamRangeAsync(RedisNames.EventStream(id)))
            .Select(entry => JsonSerializer.Deserialize((string)entry[RedisNames.MessageField]!, ContractJson.Default.StatusMessage)!),
    ];
}
