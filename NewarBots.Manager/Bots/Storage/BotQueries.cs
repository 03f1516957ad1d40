using System.Runtime.CompilerServices;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>Finds and lists bots.</summary>
internal sealed class BotQueries(BotRecords records)
{
    /// <summary>At the last look at the active bots, some had no record.</summary>
    public bool HasLostRecords { get; private set; }

    public async Task<Bot?> FindAsync(SessionId id) => (await records.ReadAsync(id)).Bot;

    /// <returns>The bots that have a readable record, in the order of <paramref name="ids"/>.</returns>
    public Task<IReadOnlyList<Bot>> FindAsync(IEnumerable<SessionId> ids) => records.ReadAsync(ids);

    /// <summary>For requests that only read: answers from the cache while Redis is unreachable.</summary>
    /// <returns>The record, and whether it comes from the cache.</returns>
    /// <exception cref="RedisException">Redis is unreachable, and the bot is not in the cache.</exception>
    public async Task<(Bot? Bot, bool IsStale)> LookUpAsync(SessionId id)
    {
        try
        {
            return (await FindAsync(id), IsStale: false);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable() && records.Cache.Find(id) is not null)
        {
            return (records.Cache.Find(id), IsStale: true);
        }
    }

    /// <summary>The bots that are neither scheduled nor ended, oldest first.</summary>
    public async Task<IReadOnlyList<Bot>> ActiveAsync()
    {
        var ids = await records.Database.SortedSetRangeByValueAsync(BotKeys.Active);
        var bots = await records.ReadAsync(ids);
        // A bot whose record is lost would keep its place in the quota and its meeting forever. An unreadable one keeps both.
        HasLostRecords = ids.Length - bots.Count > BotRecords.Ids(ids).Count(records.IsUnreadable);
        return bots;
    }

    /// <summary>The bots that have left the queue and have not ended, oldest first.</summary>
    public async Task<IReadOnlyList<Bot>> UnderWayAsync() =>
        await records.ReadAsync(await records.Database.SortedSetCombineAsync(SetOperation.Difference, [BotKeys.Active, BotKeys.Queued]));

    /// <summary>The first queued bots of each user, in the order of the queue.</summary>
    public async Task<IReadOnlyList<Bot>> QueuedAsync(int atMostOfOneUser)
    {
        const int Batch = 100;
        var first = new List<Bot>();
        var found = new Dictionary<UserId, int>();
        foreach (var ids in BotRecords.Ids(await records.Database.SortedSetRangeByRankAsync(BotKeys.Queued)).Chunk(Batch))
        {
            // A bot's user never changes, so the records of bots that are too many need not be read.
            var wanted = ids.Where(id => records.Cache.Find(id) is not { } known || found.GetValueOrDefault(known.UserId) < atMostOfOneUser);
            // Entries without the record of a queued bot are skipped and do not count.
            foreach (var bot in (await records.ReadAsync(wanted)).Where(bot => bot.Status is BotStatus.Queued))
            {
                var count = found.GetValueOrDefault(bot.UserId);
                if (count == atMostOfOneUser)
                    continue;
                found[bot.UserId] = count + 1;
                first.Add(bot);
            }
        }

        return first;
    }

    public async Task<int> CountQueuedAsync() => (int)await records.Database.SortedSetLengthAsync(BotKeys.Queued);

    /// <returns>The scheduled bots that are due, longest due first, and when the next one is due.</returns>
    public async Task<(IReadOnlyList<SessionId> Due, DateTimeOffset? Next)> DueAsync(DateTimeOffset now)
    {
        var moment = now.ToUnixTimeMilliseconds();
        var due = await records.Database.SortedSetRangeByScoreAsync(BotKeys.Scheduled, stop: moment);
        var next = await records.Database.SortedSetRangeByScoreWithScoresAsync(BotKeys.Scheduled, start: moment, exclude: Exclude.Start, take: 1);
        return (
            [.. BotRecords.Ids(due)],
            next.Length == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)next[0].Score));
    }

    /// <summary>The scheduled bots, the next one first.</summary>
    public async Task<IReadOnlyList<Bot>> ScheduledAsync() =>
        await records.ReadAsync(await records.Database.SortedSetRangeByScoreAsync(BotKeys.Scheduled));

    public async Task<int> CountScheduledAsync() => (int)await records.Database.SortedSetLengthAsync(BotKeys.Scheduled);

    /// <summary>The bots that ended before that time, the oldest end first; at most <paramref name="atMost"/>.</summary>
    public async Task<IReadOnlyList<SessionId>> EndedBeforeAsync(DateTimeOffset end, int skip, int atMost) =>
    [
        .. BotRecords.Ids(await records.Database.SortedSetRangeByScoreAsync(
            BotKeys.Ended, stop: end.ToUnixTimeMilliseconds(), exclude: Exclude.Stop, skip: skip, take: atMost)),
    ];

    /// <summary>Drops a deleted bot from this manager's cache.</summary>
    public void Forget(SessionId id) => records.Cache.Forget(id);

    /// <summary>The ended bots whose own retention has passed by then, the longest ago first; at most <paramref name="atMost"/>.</summary>
    public async Task<IReadOnlyList<SessionId>> ExpiredAsync(DateTimeOffset now, int skip, int atMost) =>
    [
        .. BotRecords.Ids(await records.Database.SortedSetRangeByScoreAsync(BotKeys.Expiring, stop: now.ToUnixTimeMilliseconds(), skip: skip, take: atMost)),
    ];

    /// <summary>Bots whose transcript is due, or being made, the longest due first.</summary>
    public async Task<IReadOnlyList<SessionId>> TranscriptsDueAsync(DateTimeOffset now, int atMost) =>
    [
        .. BotRecords.Ids(await records.Database.SortedSetRangeByScoreAsync(BotKeys.Transcripts, stop: now.ToUnixTimeMilliseconds(), take: atMost)),
    ];

    /// <summary>The bots that this manager has seen lately, newest first, for use while Redis is unreachable.</summary>
    public IEnumerable<Bot> Cached() => records.Cache.Newest();

    /// <returns>The members of an index, from the highest id to the lowest.</returns>
    public async IAsyncEnumerable<RedisValue[]> PagesAsync(
        RedisKey index, int batch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        RedisValue below = default;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var ids = await records.Database.SortedSetRangeByValueAsync(
                index, min: default, max: below, below.IsNull ? Exclude.None : Exclude.Stop, Order.Descending, skip: 0, take: batch);
            yield return ids;
            if (ids.Length < batch)
                yield break;
            below = ids[^1];
        }
    }
}
