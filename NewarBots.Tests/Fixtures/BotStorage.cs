using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>Everything that one manager does with the records of bots in Redis.</summary>
internal sealed record BotStorage(BotQueries Queries, BotCommands Commands, BotRecordRecovery Recovery)
{
    /// <summary>A manager of its own, with an empty cache.</summary>
    public BotStorage(IConnectionMultiplexer redis, BotMetrics metrics, IBotOutbox outbox, TimeProvider time)
        : this(redis, new BotRecords(redis, NullLogger<BotRecords>.Instance), metrics, outbox, time)
    {
    }

    private BotStorage(IConnectionMultiplexer redis, BotRecords records, BotMetrics metrics, IBotOutbox outbox, TimeProvider time)
        : this(redis, records, new BotQueries(records), metrics, outbox, time)
    {
    }

    private BotStorage(
        IConnectionMultiplexer redis, BotRecords records, BotQueries queries, BotMetrics metrics, IBotOutbox outbox, TimeProvider time)
        : this(
            queries,
            new BotCommands(records, metrics, outbox, time),
            new BotRecordRecovery(redis, records, queries, time, NullLogger<BotRecordRecovery>.Instance))
    {
    }

    public static BotStorage Of(IServiceProvider manager) => new(
        manager.GetRequiredService<BotQueries>(), manager.GetRequiredService<BotCommands>(), manager.GetRequiredService<BotRecordRecovery>());
}
