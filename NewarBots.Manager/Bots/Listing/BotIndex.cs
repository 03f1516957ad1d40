using System.Collections.Concurrent;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Listing;

/// <summary>
/// All bots as <see cref="ListedBot"/>, in this manager's memory. Every write of a record numbers its bot as changed, so reading the bots with higher
/// numbers than the last one seen makes this as current as Redis, whichever manager wrote.
/// </summary>
internal sealed class BotIndex(BotRecords records) : IDisposable
{
    private const int Batch = 500;

    /// <summary>Without a value if the bot has no readable record.</summary>
    private readonly ConcurrentDictionary<SessionId, ListedBot?> _bots = new();

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>The number of the latest change that was read.</summary>
    private long _seen;

    private int _isDoubtful;

    public IEnumerable<ListedBot> Bots => _bots.Select(bot => bot.Value).OfType<ListedBot>();

    /// <summary>Makes the next refresh read everything. A Redis that crashed may have lost its last second, and then gives the same numbers again.</summary>
    public void Doubt() => Volatile.Write(ref _isDoubtful, 1);

    /// <summary>Reads all changes up to now.</summary>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            if (Interlocked.Exchange(ref _isDoubtful, 0) == 1)
                _seen = 0;
            var (latest, count, changed) = await records.ChangesAsync(_seen);
            if (latest < _seen)
            {
                // Redis was emptied or restored.
                _bots.Clear();
                (latest, count, changed) = await records.ChangesAsync(after: 0);
            }

            await ReadAsync(changed);
            _seen = latest;
            if (_bots.Count != count)
                await CompareAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Bots were deleted; or written by a version that does not number changes.</summary>
    private async Task CompareAsync()
    {
        var existing = (await records.AllAsync()).ToHashSet();
        foreach (var deleted in _bots.Keys.Where(id => !existing.Contains(id)))
            _bots.TryRemove(deleted, out _);
        await ReadAsync(existing.Where(id => !_bots.ContainsKey(id)));
    }

    private async Task ReadAsync(IEnumerable<SessionId> ids)
    {
        foreach (var some in ids.Chunk(Batch))
        {
            var read = await Task.WhenAll(some.Select(records.ReadAsync));
            foreach (var (id, (bot, _)) in some.Zip(read))
                _bots[id] = bot is null ? null : ListedBot.Of(bot);
        }
    }
}

/// <summary>Reads the changes also while nobody asks for a list, so that no caller has to wait for thousands of them.</summary>
internal sealed partial class BotIndexing(
    BotIndex index, IConnectionMultiplexer redis, BackgroundLoops loops, ILogger<BotIndexing> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        redis.ConnectionRestored += Doubt;
        try
        {
            await loops.RunAsync("index", Interval, RefreshAsync, stoppingToken);
        }
        finally
        {
            redis.ConnectionRestored -= Doubt;
        }
    }

    private void Doubt(object? sender, ConnectionFailedEventArgs restored) => index.Doubt();

    private async Task RefreshAsync(CancellationToken cancellation)
    {
        try
        {
            await index.RefreshAsync(cancellation);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            Log.RedisUnreachable(logger, exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The list of bots cannot be read, will retry: {Why}")]
        public static partial void RedisUnreachable(ILogger logger, string why);
    }
}
