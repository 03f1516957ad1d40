using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Api;
using NewarBots.Manager.Hosting;

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
/// connections or processors. Streams are rejected at once. Downloads wait for a place, and callers share the places fairly: one with many slow downloads
/// loses the oldest to a caller with fewer.
/// </summary>
internal sealed class StreamLimits(IOptions<AccessOptions> options, TimeProvider time) : IDisposable
{
    /// <summary>How long a download waits for a place.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>Longer downloads are aborted, so that slow readers cannot keep all places.</summary>
    public static readonly TimeSpan MaxDownloadTime = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Downloads that are read more slowly on average are aborted. Bytes in the buffers of the connection count as read. The largest download takes nine
    /// minutes at this rate.
    /// </summary>
    private static readonly MinDataRate SlowestDownload = new(bytesPerSecond: 64 * 1024, gracePeriod: TimeSpan.FromSeconds(20));

    private const int RetryAfterSeconds = 10;

    private const int MaxDownloads = 16;

    private const int MaxDownloadsPerCaller = 8;

    private readonly Limit _events = new(options.Value.EventStreams, options.Value.EventStreamsPerKey);
    private readonly Limit _logs = new(total: 100, perCaller: 50);
    private readonly FairPlaces _downloads = new(MaxDownloads, MaxDownloadsPerCaller, maxWaiting: 100, time);

    /// <summary>Takes a place until the request ends.</summary>
    /// <returns>The problem if no place is free; otherwise <see langword="null"/>.</returns>
    /// <exception cref="OperationCanceledException">The client disconnected while it waited.</exception>
    public Task<ProblemHttpResult?> EnterAsync(StreamKind kind, HttpContext context) => kind switch
    {
        StreamKind.Events => Task.FromResult(Enter(_events, context)),
        StreamKind.FollowedLog => Task.FromResult(Enter(_logs, context)),
        _ => EnterDownloadAsync(context),
    };

    private static ProblemHttpResult? Enter(Limit limit, HttpContext context)
    {
        var own = limit.OfCallers.AttemptAcquire(CallerOf(context));
        context.Response.RegisterForDispose(own);
        if (!own.IsAcquired)
            return Rejected(context, ProblemTypes.TooManyStreams, limit.PerCaller);
        var any = limit.OfAll.AttemptAcquire();
        context.Response.RegisterForDispose(any);
        return any.IsAcquired ? null : Rejected(context, ProblemTypes.StreamsFull, limit.Total);
    }

    private async Task<ProblemHttpResult?> EnterDownloadAsync(HttpContext context)
    {
        using var expired = new CancellationTokenSource(MaxWait, time);
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(expired.Token, context.RequestAborted);
        var caller = CallerOf(context);
        IDisposable? place = null;
        try
        {
            place = await _downloads.TakeAsync(caller, context.Abort, wait.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            // No place became free in time.
        }

        if (place is null)
        {
            return _downloads.HasAll(caller)
                ? Rejected(context, ProblemTypes.TooManyStreams, MaxDownloadsPerCaller)
                : Rejected(context, ProblemTypes.StreamsFull, MaxDownloads);
        }

        context.Response.RegisterForDispose(place);
        // Asynchronous disposal waits for a running callback, so that it cannot abort the connection's next request.
        context.Response.RegisterForDisposeAsync(time.CreateTimer(_ => context.Abort(), state: null, MaxDownloadTime, Timeout.InfiniteTimeSpan));
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = SlowestDownload;
        return null;
    }

    private static string CallerOf(HttpContext context) => Caller.Of(context)?.Key?.Id ?? string.Empty;

    private static ProblemHttpResult Rejected(HttpContext context, ProblemType type, int max)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        return ApiProblems.Problem(type, $"At most {max} may be open at once. {type.Advice}", new() { ["limit"] = max });
    }

    public void Dispose()
    {
        _events.Dispose();
        _logs.Dispose();
    }

    private sealed class Limit(int total, int perCaller) : IDisposable
    {
        public int Total => total;

        public int PerCaller => perCaller;

        public ConcurrencyLimiter OfAll { get; } = new(Options(total));

        public PartitionedRateLimiter<string> OfCallers { get; } = PartitionedRateLimiter.Create<string, string>(
            caller => RateLimitPartition.GetConcurrencyLimiter(caller, _ => Options(perCaller)));

        public void Dispose()
        {
            OfAll.Dispose();
            OfCallers.Dispose();
        }

        private static ConcurrencyLimiterOptions Options(int permits) => new() { PermitLimit = permits };
    }
}
