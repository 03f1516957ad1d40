using Medallion.Threading;
using Medallion.Threading.Redis;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// Who of several managers does the work on a bot that only one may do at a time. A lease is renewed while it is held and runs
/// out <see cref="Expiry"/> after its holder died. It spares double work; what keeps a holder that was paused for longer from
/// doing harm is that records change by compare-and-set, and that a published recording is found rather than made again.
/// </summary>
internal sealed class BotLeases(IConnectionMultiplexer redis)
{
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(9);

    /// <returns><see langword="null"/> where another manager holds it.</returns>
    public async Task<BotLease?> TryTakeAsync(SessionId id, CancellationToken cancellation)
    {
        var key = $"newarbots:lease:{id}";
        var ending = new RedisDistributedLock(key, redis.GetDatabase(), options => options.Expiry(Expiry));
        var handle = await ending.TryAcquireAsync(TimeSpan.Zero, cancellation);
        return handle is null ? null : new(handle, cancellation);
    }
}

/// <summary>Held until it is disposed of, or lost.</summary>
internal sealed class BotLease(IDistributedSynchronizationHandle handle, CancellationToken cancellation) : IAsyncDisposable
{
    private readonly CancellationTokenSource _over =
        CancellationTokenSource.CreateLinkedTokenSource(handle.HandleLostToken, cancellation);

    /// <summary>Cancelled when the lease is lost, and at the end of the host.</summary>
    public CancellationToken Lost => _over.Token;

    public async ValueTask DisposeAsync()
    {
        _over.Dispose();
        await handle.DisposeAsync();
    }
}
