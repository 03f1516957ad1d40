using Medallion.Threading;
using Medallion.Threading.Redis;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// Leases decide which of several managers works on a bot. A held lease is renewed, and expires <see cref="Expiry"/> after its holder
/// crashed. Leases only avoid duplicate work: a holder that was paused for longer does no harm, because records change by
/// compare-and-set and a published recording is reused.
/// </summary>
internal sealed class BotLeases(IConnectionMultiplexer redis)
{
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(9);

    /// <returns><see langword="null"/> if another manager holds the lease.</returns>
    public Task<BotLease?> TryTakeAsync(SessionId id, CancellationToken cancellation) => TryTakeAsync($"newarbots:lease:{id}", cancellation);

    /// <summary>Decides who transcribes the bot's recording. A lease of its own: that takes long, and the bot can be deleted meanwhile.</summary>
    /// <inheritdoc cref="TryTakeAsync(SessionId, CancellationToken)"/>
    public Task<BotLease?> TryTakeTranscriptAsync(SessionId id, CancellationToken cancellation) => TryTakeAsync($"newarbots:lease:{id}:transcript", cancellation);

    private async Task<BotLease?> TryTakeAsync(string key, CancellationToken cancellation)
    {
        var mutex = new RedisDistributedLock(key, redis.GetDatabase(), options => options.Expiry(Expiry));
        var handle = await mutex.TryAcquireAsync(TimeSpan.Zero, cancellation);
        return handle is null ? null : new(handle, cancellation);
    }
}

/// <summary>Held until disposed of or lost.</summary>
internal sealed class BotLease(IDistributedSynchronizationHandle handle, CancellationToken cancellation) : IAsyncDisposable
{
    private readonly CancellationTokenSource _over =
        CancellationTokenSource.CreateLinkedTokenSource(handle.HandleLostToken, cancellation);

    /// <summary>Cancelled when the lease is lost or the host stops.</summary>
    public CancellationToken Lost => _over.Token;

    public async ValueTask DisposeAsync()
    {
        _over.Dispose();
        await handle.DisposeAsync();
    }
}
