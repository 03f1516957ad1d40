using System.Security.Cryptography;
using System.Text;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>The names of everything that the manager keeps about bots in Redis.</summary>
internal static class BotKeys
{
    /// <summary>The prefix of all records: hashes with the fields below.</summary>
    public const string Records = "newarbots:bot:";

    public const string RecordField = "record";
    public const string VersionField = "version";

    /// <summary>The key of the idempotency entry that was written with the record.</summary>
    public const string IdempotencyField = "idempotency";

    /// <summary>The prefix of all claims; a claim reserves a meeting of a user for one bot.</summary>
    public const string Claims = "newarbots:claim:";

    /// <summary>Every bot, in the order of their ids, which is the order of creation.</summary>
    public const string All = "newarbots:bots";

    /// <summary>Bots that are neither scheduled nor ended.</summary>
    public const string Active = "newarbots:bots:active";

    /// <summary>Queued bots by their due time.</summary>
    public const string Queued = "newarbots:bots:queued";

    /// <summary>Scheduled bots by their due time.</summary>
    public const string Scheduled = "newarbots:bots:scheduled";

    /// <summary>Ended bots by the time of their end.</summary>
    public const string Ended = "newarbots:bots:ended";

    /// <summary>Ended bots with a retention of their own, by the time of their deletion.</summary>
    public const string Expiring = "newarbots:bots:expiring";

    /// <summary>Counts the writes of all records.</summary>
    public const string Changes = "newarbots:bots:changes";

    /// <summary>Bots by the number of their latest write.</summary>
    public const string Changed = "newarbots:bots:changed";

    /// <summary>Bots whose transcript is pending or being made, by the time of its next attempt.</summary>
    public const string Transcripts = "newarbots:bots:transcripts";

    /// <summary>Says whether every known bot is on record since Redis was last emptied.</summary>
    public const string Complete = "newarbots:bots:complete";

    /// <summary>Pub/sub channel for all managers: a deleted bot, as its id, a space, and its user.</summary>
    public static readonly RedisChannel Deletions = RedisChannel.Literal("newarbots:bots:deleted");

    /// <summary>Pub/sub channel for all managers: the id of a bot whose name or metadata a user changed without a change of its status.</summary>
    public static readonly RedisChannel Edits = RedisChannel.Literal("newarbots:bots:edited");

    /// <summary>Pub/sub channel for all managers: a bot whose transcript has changed, as its id.</summary>
    public static readonly RedisChannel TranscriptChanges = RedisChannel.Literal("newarbots:bots:transcript");

    public static RedisKey Record(SessionId id) => $"{Records}{id}";

    public static RedisKey Claim(Bot bot) => $"{Claims}{bot.UserId}:{Hash(MeetingIdentity.Of(bot.MeetingUrl))}";

    public static RedisKey Idempotency(IdempotencyKey key) => $"newarbots:idempotency:{key.Caller}:{Hash(key.Key)}";

    public static RedisKey OfUser(UserId user) => $"{All}:user:{user}";

    public static RedisKey ActiveOf(UserId user) => $"{Active}:user:{user}";

    public static RedisKey ScheduledOf(UserId user) => $"{Scheduled}:user:{user}";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
