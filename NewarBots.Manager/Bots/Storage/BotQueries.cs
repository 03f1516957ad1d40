using System.Runtime.CompilerServices;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>Finds and lists bots.</summary>
internal sealed class BotQueries(BotRecords records)
{
    /// <summary>Records to read at a time when a filter skips most of them.</summary>
    private const int FilteredBatch = 200;

    /// <summary>At the last look at the active bots, some had no record.</summary>
    public bool HasLostRecords { get; private set; }

    public async Task<Bot?> FindAsync(SessionId id) => (await records.ReadAsync(id)).Bot;

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

    /// <summary>The first bots of the queue, in their order.</summary>
    public async Task<IReadOnlyList<Bot>> QueuedAsync(int atMost)
    {
        var first = new List<Bot>();
        // Entries without the record of a queued bot are skipped and do not count.
        for (var rank = 0L; first.Count < atMost; rank += atMost)
        {
            var ids = await records.Database.SortedSetRangeByRankAsync(BotKeys.Queued, rank, rank + atMost - 1);
            first.AddRange((await records.ReadAsync(ids)).Where(bot => bot.Status is BotStatus.Queued));
            if (ids.Length < atMost)
                break;
        }

        return [.. first.Take(atMost)];
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

    /// <summary>Bots whose transcript is due, or being made, the longest due first.</summary>
    public async Task<IReadOnlyList<SessionId>> TranscriptsDueAsync(DateTimeOffset now, int atMost) =>
    [
        .. BotRecords.Ids(await records.Database.SortedSetRangeByScoreAsync(BotKeys.Transcripts, stop: now.ToUnixTimeMilliseconds(), take: atMost)),
    ];

    /// <summary>The answer of <see cref="NewestAsync"/> from this manager's cache, for use while Redis is unreachable.</summary>
    public IEnumerable<Bot> NewestCached(UserId? user, SessionId? after) => records.Cache.Newest(user, after);

    /// <summary>The bots, newest first.</summary>
    /// <param name="user">Only bots of this user, if given.</param>
    /// <param name="status">Only bots with this status, if given.</param>
    /// <param name="after">The last bot of the previous page, if any.</param>
    /// <param name="batch">How many records are read at a time.</param>
    /// <param name="cancellation">Ends the enumeration.</param>
    public async IAsyncEnumerable<Bot> NewestAsync(
        UserId? user, BotStatus? status, SessionId? after, int batch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var index = user is { } one ? BotKeys.OfUser(one) : (RedisKey)BotKeys.All;
        if (status is { } wanted)
        {
            if (await records.IsCompleteAsync())
                index = BotKeys.OfStatus(wanted, user);
            else
                batch = Math.Max(batch, FilteredBatch);
        }

        await foreach (var ids in PagesAsync(index, after, batch, cancellation))
        {
            foreach (var bot in await records.ReadAsync(ids))
            {
                if (status is null || bot.Status == status)
                    yield return bot;
            }
        }
    }

    /// <returns>The members of an index, from the highest id to the lowest.</returns>
    public async IAsyncEnumerable<RedisValue[]> PagesAsync(
        RedisKey index, SessionId? after, int batch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        RedisValue below = after is { } cursor ? cursor.ToString() : default;
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
