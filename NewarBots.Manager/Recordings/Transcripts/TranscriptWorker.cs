using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>
/// Makes the transcripts that are due, also those that a manager did not finish before it ended. The records hold what is due and how often it failed;
/// a lease decides which manager works on a transcript. A transcript that fails changes nothing else about its bot.
/// </summary>
internal sealed partial class TranscriptWorker(
    BotQueries queries,
    BotCommands commands,
    BotLeases leases,
    TranscriptMaker maker,
    BackgroundLoops loops,
    IOptions<TranscriptionOptions> options,
    TimeProvider time,
    ILogger<TranscriptWorker> logger) : BackgroundService
{
    /// <summary>Recordings at once. The limit of requests to the speech server applies to all of them together.</summary>
    private const int Parallelism = 4;

    private const int Batch = 100;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PollIntervalWhenOff = TimeSpan.FromSeconds(10);

    /// <summary>The least time between two reports of progress.</summary>
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(2);

    private readonly BotWorkQueue _queue = new(logger);
    private bool _hasToldOfWaiting;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => options.Value.IsOn
        ? Task.WhenAll(
            loops.RunAsync("transcribe", every: PollInterval, EnqueueDueAsync, stoppingToken),
            _queue.ProcessAsync(Parallelism, TranscribeAsync, stoppingToken))
        : loops.RunAsync("transcribe", every: PollIntervalWhenOff, TellOfWaitingAsync, stoppingToken);

    /// <summary>Without a speech server, this manager leaves transcripts to others that have one. If there is no other, an operator should know.</summary>
    private async Task TellOfWaitingAsync(CancellationToken cancellation)
    {
        try
        {
            var waiting = await queries.TranscriptsDueAsync(time.GetUtcNow() - PollIntervalWhenOff, atMost: 1);
            if (waiting is not [var id] || await queries.FindAsync(id) is not { Transcript.Status: TranscriptStatus.Pending })
                _hasToldOfWaiting = false;
            else if (!_hasToldOfWaiting)
            {
                _hasToldOfWaiting = true;
                Log.LeftToOthers(logger, id);
            }
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The status listener logs it.
        }
    }

    private async Task EnqueueDueAsync(CancellationToken cancellation)
    {
        try
        {
            foreach (var id in await queries.TranscriptsDueAsync(time.GetUtcNow(), Batch))
                _queue.Enqueue(id);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The status listener logs it. The next poll finds the same transcripts.
        }
    }

    /// <summary>One attempt, if it is due.</summary>
    public async Task TranscribeAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            await using var lease = await leases.TryTakeTranscriptAsync(id, cancellation);
            if (lease is null || await queries.FindAsync(id) is not { Transcript.IsUnderWay: true } due || due.Transcript.DueAt > time.GetUtcNow())
                return;
            if (await commands.UpdateAsync(id, bot => TranscriptLifecycle.Begun(bot, options.Value.Model)) is { Transcript.Status: TranscriptStatus.Processing } begun)
                await TranscribeAsync(begun, lease.Lost, cancellation);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            // The transcript stays due, and what was transcribed is kept.
            Log.RedisUnreachable(logger, id, exception.Message);
        }
    }

    private async Task TranscribeAsync(Bot bot, CancellationToken leaseLost, CancellationToken stopping)
    {
        var (id, attempt) = (bot.Id, bot.Transcript!.Attempt);
        using var superseded = CancellationTokenSource.CreateLinkedTokenSource(leaseLost);
        using var step = BotTracing.StartStep("recording transcribe", bot);
        var hasProgressed = false;
        long? reportedAt = null;
        var begun = time.GetTimestamp();
        try
        {
            var transcript = await maker.MakeAsync(bot, ReportAsync, superseded.Token);
            await commands.UpdateAsync(id, known => TranscriptLifecycle.Completed(known, attempt, transcript.Language));
            // A repeat then sends only the turns without text.
            if (transcript.Missing.Count == 0)
                maker.Forget(bot);
            Log.Completed(logger, id, transcript.Segments.Count, time.GetElapsedTime(begun));
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            await commands.UpdateAsync(id, known => TranscriptLifecycle.Interrupted(known, attempt));
        }
        catch (Exception) when (superseded.IsCancellationRequested)
        {
            // The bot was deleted, or another manager makes its transcript.
            step.Forget();
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            await EndAttemptAsync(id, attempt, exception, hasProgressed);
        }

        async Task ReportAsync(double progress)
        {
            hasProgressed = true;
            if (reportedAt is { } before && time.GetElapsedTime(before) < ReportInterval)
                return;
            reportedAt = time.GetTimestamp();
            if ((await commands.UpdateAsync(id, known => TranscriptLifecycle.Progressed(known, attempt, progress)))?.Transcript?.Attempt != attempt)
                await superseded.CancelAsync();
        }
    }

    private async Task EndAttemptAsync(SessionId id, int attempt, Exception exception, bool hasProgressed)
    {
        var error = Failures.Explain(exception);
        var isTemporary = exception is SpeechServerException failure ? failure.IsTemporary : exception is not FinalizationException;
        var retryAfter = (exception as SpeechServerException)?.RetryAfter;
        var after = await commands.UpdateAsync(id, bot => isTemporary
            ? TranscriptLifecycle.Postponed(bot, attempt, error, hasProgressed, retryAfter, time.GetUtcNow())
            : TranscriptLifecycle.Failed(bot, attempt, error));
        var cause = exception.InnerException is { } inner ? $"{exception.Message} {inner.Message}" : exception.Message;
        if (exception is not (SpeechServerException or IExplainedFailure or IOException))
            Log.Unexpected(logger, exception, id);
        if (after?.Transcript is { Status: TranscriptStatus.Pending, DueAt: { } next })
            Log.WillRetry(logger, id, next, cause);
        else if (after?.Transcript is { Status: TranscriptStatus.Failed })
            Log.Failed(logger, id, cause);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Transcribed the recording of bot {SessionId} in {Elapsed}: {Segments} segments")]
        public static partial void Completed(ILogger logger, SessionId sessionId, int segments, TimeSpan elapsed);

        [LoggerMessage(LogLevel.Warning, "Transcribing the recording of bot {SessionId} failed, will retry at {Next}: {Error}")]
        public static partial void WillRetry(ILogger logger, SessionId sessionId, DateTimeOffset next, string error);

        [LoggerMessage(LogLevel.Error, "Transcribing the recording of bot {SessionId} failed, POST /bots/{SessionId}/transcript tries again: {Error}")]
        public static partial void Failed(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Warning, "The transcript of bot {SessionId} is pending, but this manager has no speech server (Transcription:Endpoint), leaving it to others")]
        public static partial void LeftToOthers(ILogger logger, SessionId sessionId);

        [LoggerMessage(LogLevel.Warning, "The transcript of bot {SessionId} cannot be continued while Redis is unavailable, will retry: {Error}")]
        public static partial void RedisUnreachable(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Error, "Unexpected error while transcribing the recording of bot {SessionId}")]
        public static partial void Unexpected(ILogger logger, Exception exception, SessionId sessionId);
    }
}
