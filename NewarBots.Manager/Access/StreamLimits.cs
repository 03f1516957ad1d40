using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Access;

/// <summary>Responses that take long, or cost more than a file that is sent as it is.</summary>
internal enum StreamKind
{
    /// <summary>Server-sent events.</summary>
    Events,

    /// <summary>A followed log. While the bot runs, each holds a connection to the container engine.</summary>
    FollowedLog,

    /// <summary>A log, or a zip that is packed while it is sent.</summary>
    Download,
}

/// <summary>
/// Limits how many streams and downloads may be open at once, for each caller and for the manager, so that no caller can use up its memory,
/// connections or processors. Downloads wait for a place; the others are rejected at once.
/// </summary>
internal sealed class StreamLimits(IOptions<AccessOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>How long a download waits for a place.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>Longer downloads are aborted, so that slow readers cannot keep all places.</summary>
    public static readonly TimeSpan MaxDownloadTime = TimeSpan.FromMinutes(10);

    private const int RetryAfterSeconds = 10;

    private readonly Limit _events = new(options.Value.EventStreams, options.Value.EventStreamsPerKey, maxWaiting: 0);
    private readonly Limit _logs = new(total: 100, perCaller: 50, maxWaiting: 0);
    private readonly Limit _downloads = new(total: 16, perCaller: 8, maxWaiting: 100);

    /// <summary>Takes a place until the request ends.</summary>
    /// <returns>The problem if no place is free; otherwise <see langword="null"/>.</returns>
    /// <exception cref="OperationCanceledException">The client disconnected while it waited.</exception>
    public async Task<ProblemHttpResult?> EnterAsync(StreamKind kind, HttpContext context)
    {
        var limit = kind switch
        {
            StreamKind.Events => _events,
            StreamKind.FollowedLog => _logs,
            _ => _downloads,
        };
        using var expired = new CancellationTokenSource(MaxWait, time);
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(expired.Token, context.RequestAborted);
        var own = await TakeAsync(token => limit.OfCallers.AcquireAsync(Caller.Of(context)?.Key?.Id ?? string.Empty, 1, token));
        if (own is null)
            return Rejected(ProblemTypes.TooManyStreams, limit.PerCaller);
        context.Response.RegisterForDispose(own);
        var any = await TakeAsync(token => limit.OfAll.AcquireAsync(1, token));
        if (any is null)
            return Rejected(ProblemTypes.StreamsFull, limit.Total);
        context.Response.RegisterForDispose(any);
        if (kind is StreamKind.Download)
        {
            // Asynchronous disposal waits for a running callback, so that it cannot abort the connection's next request.
            context.Response.RegisterForDisposeAsync(time.CreateTimer(_ => context.Abort(), state: null, MaxDownloadTime, Timeout.InfiniteTimeSpan));
        }

        return null;

        async Task<RateLimitLease?> TakeAsync(Func<CancellationToken, ValueTask<RateLimitLease>> acquire)
        {
            try
            {
                var lease = await acquire(wait.Token);
                if (lease.IsAcquired)
                    return lease;
                lease.Dispose();
                return null;
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                return null;
            }
        }

        ProblemHttpResult Rejected(ProblemType type, int max)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
            return ApiProblems.Problem(type, $"At most {max} may be open at once. {type.Advice}", new() { ["limit"] = max });
        }
    }

    public void Dispose()
    {
        foreach (var limit in new[] { _events, _logs, _downloads })
            limit.Dispose();
    }

    private sealed class Limit(int total, int perCaller, int maxWaiting) : IDisposable
    {
        public int Total => total;

        public int PerCaller => perCaller;

        public ConcurrencyLimiter OfAll { get; } = new(Options(total, maxWaiting));

        public PartitionedRateLimiter<string> OfCallers { get; } = PartitionedRateLimiter.Create<string, string>(
            caller => RateLimitPartition.GetConcurrencyLimiter(caller, _ => Options(perCaller, maxWaiting)));

        public void Dispose()
        {
            OfAll.Dispose();
            OfCallers.Dispose();
        }

        private static ConcurrencyLimiterOptions Options(int permits, int waiting) =>
            new() { PermitLimit = permits, QueueLimit = waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst };
    }
}
