using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>Rebuilds records and indexes after Redis was emptied or lost some of them.</summary>
internal sealed partial class BotRecordRecovery(
    IConnectionMultiplexer redis, BotRecords records, BotQueries queries, TimeProvider time, ILogger<BotRecordRecovery> logger)
{
    private const int Batch = 1_000;

    /// <summary>To be called before looking at everything that runs or is on disk.</summary>
    /// <returns>A token for <see cref="CompleteAsync"/>; <see langword="null"/> if recovery is complete since Redis was last emptied.</returns>
    public async Task<string?> BeginAsync()
    {
        var token = (string)(await records.RunAsync(
            BotScripts.BeginRecovery, new { complete = (RedisKey)BotKeys.Complete, token = SessionId.New(time).ToString() }))!;
        return token == BotRecords.IsCompleteWord ? null : token;
    }

    /// <summary>Every known bot is on record. Has no effect if Redis was emptied since <see cref="BeginAsync"/>.</summary>
    public Task CompleteAsync(string token) => records.RunAsync(
        BotScripts.CompleteRecovery, new { complete = (RedisKey)BotKeys.Complete, token, done = BotRecords.IsCompleteWord });

    /// <inheritdoc cref="BotRecords.IsCompleteAsync"/>
    public Task<bool> IsCompleteAsync() => records.IsCompleteAsync();

    /// <summary>
    /// Writes the record of a bot that is running already or has ended, without an announcement. An active bot claims its meeting again,
    /// unless another bot has claimed it meanwhile.
    /// </summary>
    /// <returns><see langword="false"/> if a readable record exists, which stays unchanged.</returns>
    public async Task<bool> AdoptAsync(Bot bot)
    {
        // Registers an unreadable record, so that it can be overwritten.
        await records.ReadAsync(bot.Id);
        var isActive = bot.Status is not BotStatus.Scheduled && !bot.Status.IsTerminal();
        var isAdopted = (bool)await records.RunAsync(BotScripts.Adopt, new
        {
            id = bot.Id.ToString(),
            record = BotKeys.Record(bot.Id),
            json = BotRecords.Serialize(bot),
            unreadable = records.UnreadableRecord(bot.Id),
            events = (RedisKey)RedisNames.EventStream(bot.Id),
            claim = BotKeys.Claim(bot),
            all = (RedisKey)BotKeys.All,
            changes = (RedisKey)BotKeys.Changes,
            changed = (RedisKey)BotKeys.Changed,
            ofUser = BotKeys.OfUser(bot.UserId),
            active = (RedisKey)BotKeys.Active,
            activeOfUser = BotKeys.ActiveOf(bot.UserId),
            activeScore = isActive ? 0 : RedisValue.EmptyString,
            queued = (RedisKey)BotKeys.Queued,
            queuedScore = BotRecords.DueScore(BotStatus.Queued, bot),
            scheduled = (RedisKey)BotKeys.Scheduled,
            scheduledOfUser = BotKeys.ScheduledOf(bot.UserId),
            scheduledScore = BotRecords.DueScore(BotStatus.Scheduled, bot),
            ended = (RedisKey)BotKeys.Ended,
            endedScore = BotRecords.EndScore(bot),
            expiring = (RedisKey)BotKeys.Expiring,
            expiryScore = BotRecords.ExpiryScore(bot),
        });
        if (isAdopted)
            records.ForgetUnreadable(bot.Id);
        return isAdopted;
    }

    /// <returns>The sessions that have no record, in their order; at most <paramref name="atMost"/>.</returns>
    public async Task<IReadOnlyList<SessionId>> UnknownAsync(IEnumerable<SessionId> ids, int atMost)
    {
        var unknown = new List<SessionId>();
        foreach (var some in ids.Chunk(Batch))
        {
            var known = await records.Database.SortedSetScoresAsync(BotKeys.All, [.. some.Select(id => (RedisValue)id.ToString())]);
            unknown.AddRange(some.Where((_, index) => known[index] is null));
            if (unknown.Count >= atMost)
                break;
        }

        return [.. unknown.Take(atMost)];
    }

    /// <summary>Adds every record to the index by end, which earlier versions did not keep, and deletes their index by status.</summary>
    public async Task IndexAsync(CancellationToken cancellation)
    {
        await foreach (var obsolete in KeysAsync($"{BotKeys.All}:status:*").WithCancellation(cancellation))
            await records.Database.KeyDeleteAsync(obsolete);
        await foreach (var ids in queries.PagesAsync(BotKeys.All, Batch, cancellation))
            await Task.WhenAll(BotRecords.Ids(ids).Select(IndexAsync));
    }

    /// <summary>
    /// Frees the places and meetings of bots that have no record. To be called once every running bot is on record again, or such a bot
    /// would lose its meeting to another one.
    /// </summary>
    public async Task FreeAsync(CancellationToken cancellation)
    {
        string[] indexes = [BotKeys.Active, $"{BotKeys.Active}:user:*", BotKeys.Queued, BotKeys.Scheduled, $"{BotKeys.Scheduled}:user:*", BotKeys.Ended, BotKeys.Expiring, BotKeys.Transcripts];
        foreach (var pattern in indexes)
        {
            await foreach (var index in KeysAsync(pattern).WithCancellation(cancellation))
                await FreeAsync(index, cancellation);
        }

        await foreach (var claim in KeysAsync($"{BotKeys.Claims}*").WithCancellation(cancellation))
        {
            foreach (var id in (string[])(await records.RunAsync(BotScripts.FreeClaim, new { claim, records = BotKeys.Records }))!)
                Log.Freed(logger, claim!, id);
        }
    }

    /// <summary>An index may have any number of ended bots, so no single call looks at all of them.</summary>
    private async Task FreeAsync(RedisKey index, CancellationToken cancellation)
    {
        await foreach (var some in records.Database.SortedSetScanAsync(index, pageSize: Batch).Select(entry => (string)entry.Element!).Chunk(Batch).WithCancellation(cancellation))
        {
            var freed = await Task.WhenAll(some.Select(id => records.RunAsync(BotScripts.FreePlaces, new { index, record = (RedisKey)(BotKeys.Records + id), id })));
            foreach (var id in some.Where((_, at) => (bool)freed[at]))
                Log.Freed(logger, index!, id);
        }
    }

    /// <summary>All keys that match; a key that is added or removed meanwhile may or may not be among them.</summary>
    private IAsyncEnumerable<RedisKey> KeysAsync(string pattern) => redis.GetServers()
        .Where(server => server is { IsConnected: true, IsReplica: false })
        .ToAsyncEnumerable()
        .SelectMany(server => server.KeysAsync(pattern: pattern, pageSize: 1_000));

    private async Task IndexAsync(SessionId id)
    {
        var (found, version) = await records.ReadAsync(id);
        if (found is not { } bot)
            return;
        await records.RunAsync(BotScripts.Index, new
        {
            id = id.ToString(),
            record = BotKeys.Record(id),
            version,
            ended = (RedisKey)BotKeys.Ended,
            endedScore = BotRecords.EndScore(bot),
        });
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Key} was held by bot {SessionId}, whose record is lost, and is free again")]
        public static partial void Freed(ILogger logger, string key, string sessionId);
    }
}
