using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>Section <c>Removing</c>: how long recordings are kept.</summary>
internal sealed class RetentionOptions
{
    public const string Section = "Removing";

    /// <summary>Time from a bot's end until its recording and all its other data are deleted. Not set: kept forever.</summary>
    public TimeSpan? KeepFor { get; set; }
}

internal sealed class RetentionOptionsValidator : IValidateOptions<RetentionOptions>
{
    public ValidateOptionsResult Validate(string? name, RetentionOptions options) => options.KeepFor <= TimeSpan.Zero
        ? ValidateOptionsResult.Fail($"Removing:KeepFor must be positive, for example 30.00:00:00 for 30 days (it is {options.KeepFor}).")
        : ValidateOptionsResult.Success;
}

/// <summary>
/// Deletes expired bots with their recordings (<see cref="Bot.Retention"/>, <see cref="RetentionOptions.KeepFor"/>), expired recordings without a record,
/// orphaned session folders, and temporary files of crashed managers.
/// </summary>
internal sealed partial class Retention(
    BotQueries queries,
    BotLeases leases,
    BotRemover remover,
    OrphanedFolders orphans,
    FinalFiles finals,
    RecordingConverter converter,
    PartialRecording partials,
    SessionFolders folders,
    FailureDiagnosis diagnosis,
    StorageLayout storage,
    BackgroundLoops loops,
    IOptions<RetentionOptions> options,
    TimeProvider time,
    ILogger<Retention> logger) : BackgroundService
{
    private const int Batch = 200;

    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>One pass may have very many files to delete, and nothing waits for it.</summary>
    private static readonly TimeSpan LongestPass = TimeSpan.FromHours(2);

    /// <summary>Leaves an operator time to look at a reported folder.</summary>
    private static readonly TimeSpan OrphansKeptFor = TimeSpan.FromDays(1);

    private readonly HashSet<string> _reported = [];
    private readonly ClockWatch _clock = new(time);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("retention", LongestPass, RemoveExpiredOrRetryAsync, token => time.WaitAsync(Interval, token), stoppingToken);

    private async Task RemoveExpiredOrRetryAsync(CancellationToken cancellation)
    {
        try
        {
            await RemoveExpiredAsync(cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException or IOException or UnauthorizedAccessException || exception.IsRedisUnavailable())
        {
            Log.WillRetry(logger, exception.Message);
        }
    }

    private TimeSpan Interval =>
        options.Value.KeepFor / 4 is { } quarter && quarter < LongestInterval
            ? quarter > ShortestInterval ? quarter : ShortestInterval
            : LongestInterval;

    private async Task RemoveExpiredAsync(CancellationToken cancellation)
    {
        if (_clock.Check() is { } set)
            Log.ClockSet(logger, set);
        if (!_clock.IsDistrusted)
        {
            var now = time.GetUtcNow();
            await RemoveBotsAsync(kept => queries.ExpiredAsync(now, skip: kept, Batch), bot => bot.ExpiresAt <= now, cancellation);
            if (options.Value.KeepFor is { } keepFor)
                await RemoveRecordingsAsync(endedBefore: now - keepFor, cancellation);
        }

        foreach (var path in (string[])[.. converter.DeleteAbandonedFiles(), .. partials.DeleteAbandonedFiles()])
            Log.NotDeleted(logger, path);
        foreach (var orphan in await orphans.ScanAsync(cancellation))
        {
            if (_reported.Add(orphan.Path))
                Report(orphan);
            if (orphan.Session is { } session && time.GetUtcNow() - session.WrittenAt > OrphansKeptFor && !_clock.IsDistrusted)
            {
                await TryRemoveAsync(session.Id, () =>
                {
                    folders.Remove(session.UserId, session.Id);
                    Log.OrphanRemoved(logger, orphan.Path);
                    return Task.CompletedTask;
                }, cancellation);
            }
        }
    }

    /// <summary>A failure for one bot is logged and does not stop the pass. An outage does: it concerns all.</summary>
    private async Task TryRemoveAsync(SessionId id, Func<Task> remove, CancellationToken cancellation)
    {
        try
        {
            await remove();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            if ((await diagnosis.CauseOfAsync(exception, cancellation)).Cause is FailureCause.Redis or FailureCause.Engine)
                throw;
            Log.NotRemoved(logger, id, exception.Message);
        }
    }

    /// <param name="next">Finds candidates behind those that are kept.</param>
    /// <param name="isExpired">Decides about the current record.</param>
    /// <param name="cancellation">Ends the pass.</param>
    private async Task RemoveBotsAsync(Func<int, Task<IReadOnlyList<SessionId>>> next, Func<Bot, bool> isExpired, CancellationToken cancellation)
    {
        for (var kept = 0; ;)
        {
            var candidates = await next(kept);
            foreach (var id in candidates)
            {
                if (!await RemoveExpiredAsync(id, isExpired, cancellation))
                    kept++;
            }

            if (candidates.Count < Batch)
                break;
        }
    }

    private async Task RemoveRecordingsAsync(DateTimeOffset endedBefore, CancellationToken cancellation)
    {
        await RemoveBotsAsync(
            kept => queries.EndedBeforeAsync(endedBefore, skip: kept, Batch), bot => bot is { Retention: null } && bot.EndedAt < endedBefore, cancellation);
        foreach (var final in finals.List())
        {
            if (final.WrittenAt < endedBefore && await queries.FindAsync(final.Id) is null && !IsKeptLonger(final))
            {
                await TryRemoveAsync(final.Id, () =>
                {
                    finals.Delete(final.UserId, final.Id);
                    Log.RecordingRemoved(logger, final.Id, final.UserId);
                    return Task.CompletedTask;
                }, cancellation);
            }
        }
    }

    /// <summary>A bot's own retention is in its manifest, too, because its record may be lost.</summary>
    private bool IsKeptLonger(FinalSession final) =>
        RecordingManifest.TryRead(storage.Manifest(final.UserId, final.Id))?.Retention is { } seconds && final.WrittenAt.AddSeconds(seconds) > time.GetUtcNow();

    private void Report(OrphanedFolder orphan)
    {
        if (orphan.Session is null)
            Log.Unknown(logger, orphan.Path);
        else
            Log.Orphaned(logger, orphan.Path);
    }

    /// <returns>Whether the bot is gone.</returns>
    private async Task<bool> RemoveExpiredAsync(SessionId id, Func<Bot, bool> isExpired, CancellationToken cancellation)
    {
        await using var lease = await leases.TryTakeAsync(id, cancellation);
        if (lease is null || await queries.FindAsync(id) is not { } bot || !bot.Status.IsTerminal() || !isExpired(bot))
            return false;
        await TryRemoveAsync(id, () => remover.DeleteAsync(bot, lease.Lost), cancellation);
        return await queries.FindAsync(id) is null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Session folder {Path} has no audio, record or container, it will be deleted one day after its last write")]
        public static partial void Orphaned(ILogger logger, string path);

        [LoggerMessage(LogLevel.Warning, "{Path} is no session folder, it is left alone")]
        public static partial void Unknown(ILogger logger, string path);

        [LoggerMessage(LogLevel.Information, "Removed the orphaned folder {Path}")]
        public static partial void OrphanRemoved(ILogger logger, string path);

        [LoggerMessage(LogLevel.Information, "Deleted the expired recording {SessionId} of user {UserId}, which had no record")]
        public static partial void RecordingRemoved(ILogger logger, SessionId sessionId, UserId userId);

        [LoggerMessage(LogLevel.Error, "Removing the expired files of bot {SessionId} failed, will retry: {Error}")]
        public static partial void NotRemoved(ILogger logger, SessionId sessionId, string error);

        [LoggerMessage(LogLevel.Warning, "The temporary files in {Path} of a crashed manager cannot be deleted, will retry: check their owner and permissions")]
        public static partial void NotDeleted(ILogger logger, string path);

        [LoggerMessage(LogLevel.Warning, "The system clock jumped by {Change}. After a forward jump, retention pauses for one hour")]
        public static partial void ClockSet(ILogger logger, TimeSpan change);

        [LoggerMessage(LogLevel.Warning, "Retention pass failed, will retry: {Error}")]
        public static partial void WillRetry(ILogger logger, string error);
    }
}
