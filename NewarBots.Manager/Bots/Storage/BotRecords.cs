using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// Reads single records, and runs the scripts that write them. Shared by <see cref="BotCommands"/>, <see cref="BotQueries"/> and
/// <see cref="BotRecordRecovery"/>.
/// </summary>
internal sealed partial class BotRecords(IConnectionMultiplexer redis, ILogger<BotRecords> logger)
{
    /// <summary>Each version with a new index gets a new word: at an earlier word, every record is indexed again.</summary>
    public const string IsCompleteWord = "by end";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        // Other encoders need six bytes for each quotation mark of a user's metadata.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly ConcurrentDictionary<SessionId, RedisValue> _unreadable = new();

    /// <summary>The records as this manager saw them last.</summary>
    public BotCache Cache { get; } = new();

    // The Redis client would queue a command for five seconds in the hope of a connection; callers and loops need to know at once.
    public IDatabase Database => redis.IsConnected
        ? redis.GetDatabase()
        : throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.None, "Redis cannot be reached.");

    /// <param name="script">One of <see cref="BotScripts"/>.</param>
    /// <param name="parameters">An object with a property for each parameter of the script.</param>
    public Task<RedisResult> RunAsync(LuaScript script, object parameters) => Database.ScriptEvaluateAsync(script, parameters);

    /// <returns><see langword="false"/> if Redis has been emptied since the last recovery.</returns>
    public async Task<bool> IsCompleteAsync() => await Database.StringGetAsync(BotKeys.Complete) == IsCompleteWord;

    /// <param name="after">The number of the latest change that the caller knows; 0: all changes.</param>
    /// <returns>The number of the latest change, the number of existing bots, and the bots with later changes than <paramref name="after"/>.</returns>
    public async Task<(long Latest, int Bots, IReadOnlyList<SessionId> Changed)> ChangesAsync(long after)
    {
        var reply = (RedisResult[])(await RunAsync(
            BotScripts.Changes, new { changes = (RedisKey)BotKeys.Changes, changed = (RedisKey)BotKeys.Changed, all = (RedisKey)BotKeys.All, after }))!;
        return ((long)reply[0], (int)reply[1], [.. Ids((RedisValue[])reply[2]!)]);
    }

    /// <summary>Every bot that exists.</summary>
    public async Task<IReadOnlyList<SessionId>> AllAsync() => [.. Ids(await Database.SortedSetRangeByRankAsync(BotKeys.All))];

    /// <inheritdoc cref="ReadAsync(IEnumerable{SessionId})"/>
    public Task<IReadOnlyList<Bot>> ReadAsync(RedisValue[] ids) => ReadAsync(Ids(ids));

    /// <returns>The bots that have a readable record, in the order of <paramref name="ids"/>.</returns>
    public async Task<IReadOnlyList<Bot>> ReadAsync(IEnumerable<SessionId> ids)
    {
        var records = await Task.WhenAll(ids.Select(ReadAsync));
        return [.. records.Select(record => record.Bot).OfType<Bot>()];
    }

    /// <summary>Treats an unreadable record as missing, so that it cannot affect other bots.</summary>
    /// <returns>The bot with the version of its record; nothing if there is no readable record.</returns>
    public async Task<(Bot? Bot, RedisValue Version)> ReadAsync(SessionId id)
    {
        RedisValue[] fields;
        try
        {
            fields = await Database.HashGetAsync(BotKeys.Record(id), [BotKeys.RecordField, BotKeys.VersionField]);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            await IgnoreAsync(id, RedisValue.EmptyString, exception.Message);
            return default;
        }

        if (fields[0].IsNull)
        {
            // A waiting bot exists in its record only. If Redis was emptied, the cached copy is all that is left of it.
            if (Cache.Find(id) is not { AwaitsContainer: true } || await IsCompleteAsync())
                Cache.Forget(id);
            return default;
        }

        try
        {
            var bot = Deserialize(id, fields[0], fields[1]);
            Cache.Remember(bot);
            return (bot, fields[1]);
        }
        catch (JsonException exception)
        {
            await IgnoreAsync(id, fields[0], exception.Message);
            return default;
        }
    }

    public bool IsUnreadable(SessionId id) => _unreadable.ContainsKey(id);

    /// <returns>The text of an unreadable record as it was read last; empty if it has none, or is not unreadable.</returns>
    public RedisValue UnreadableRecord(SessionId id) => _unreadable.GetValueOrDefault(id, RedisValue.EmptyString);

    /// <summary>The unreadable record was overwritten.</summary>
    public void ForgetUnreadable(SessionId id) => _unreadable.TryRemove(id, out _);

    public static IEnumerable<SessionId> Ids(IEnumerable<RedisValue> members) => members
        .Select(id => SessionId.TryParse(id, provider: null, out var session) ? session : (SessionId?)null)
        .OfType<SessionId>();

    public static string Serialize(Bot bot) => JsonSerializer.Serialize(bot, Json);

    /// <param name="id">The bot.</param>
    /// <param name="json">A result of <see cref="Serialize"/>.</param>
    /// <returns><see langword="null"/> if the text is no record of this bot.</returns>
    public static Bot? TryDeserialize(SessionId id, string json)
    {
        try
        {
            return Deserialize(id, json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>The score in the index of queued or scheduled bots: Unix milliseconds, rounded up; empty if the bot has another status.</returns>
    public static RedisValue DueScore(BotStatus status, Bot bot) =>
        bot.Status == status ? (long)Math.Ceiling((bot.DueAt - DateTimeOffset.UnixEpoch).TotalMilliseconds) : RedisValue.EmptyString;

    /// <returns>The score in the index of ended bots: Unix milliseconds; empty if the bot has not ended.</returns>
    public static RedisValue EndScore(Bot bot) =>
        bot.Status.IsTerminal() ? (bot.EndedAt ?? bot.CreatedAt).ToUnixTimeMilliseconds() : RedisValue.EmptyString;

    /// <returns>The score in the index of expiring bots: Unix milliseconds; empty if the bot does not expire on its own.</returns>
    public static RedisValue ExpiryScore(Bot bot) => bot.ExpiresAt is { } at ? at.ToUnixTimeMilliseconds() : RedisValue.EmptyString;

    /// <returns>The score in the index of unfinished transcripts: Unix milliseconds; empty if the bot has none.</returns>
    public static RedisValue TranscriptScore(Bot bot) => bot.Transcript?.DueAt is { } due ? due.ToUnixTimeMilliseconds() : RedisValue.EmptyString;

    private async Task IgnoreAsync(SessionId id, RedisValue record, string why)
    {
        if (_unreadable.TryAdd(id, record))
        {
            Log.Unreadable(logger, id, why);
            await RunAsync(BotScripts.ForgetUnreadable, new
            {
                complete = (RedisKey)BotKeys.Complete,
                all = (RedisKey)BotKeys.All,
                changed = (RedisKey)BotKeys.Changed,
                id = id.ToString(),
            });
        }
        else
        {
            _unreadable[id] = record;
        }
    }

    private static Bot Deserialize(SessionId id, RedisValue record, RedisValue version) =>
        version.HasValue && version.TryParse(out long _) ? Deserialize(id, (string)record!) : throw new JsonException("It has no version.");

    private static Bot Deserialize(SessionId id, string json) =>
        JsonSerializer.Deserialize<Bot>(json, Json) is { } bot && bot.Id == id && bot.MeetingUrl.IsAbsoluteUri
            ? bot
            : throw new JsonException("It is no bot, or belongs to another bot.");

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Ignored the record of bot {SessionId}, which cannot be read: {Why}")]
        public static partial void Unreadable(ILogger logger, SessionId sessionId, string why);
    }
}
