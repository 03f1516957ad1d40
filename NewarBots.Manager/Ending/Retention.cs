using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>
/// Removes what has been kept for long enough: recordings with their records where <see cref="RemovingOptions.KeepFor"/> says so,
/// recordings that no record knows any more, and folders left by nobody.
/// </summary>
internal sealed partial class Retention(
    BotStore store,
    BotLeases leases,
    BotRemover remover,
    OrphanedFolders leftovers,
    FinalFolders finals,
    RecordingConverter converter,
    PartialRecording soFar,
    SessionFolders folders,
    BackgroundLoops loops,
    IOptions<RemovingOptions> options,
    TimeProvider time,
    ILogger<Retention> logger) : BackgroundService
{
    private const int Batch = 200;

    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>There may be very much, and nobody waits for it.</summary>
    private static readonly TimeSpan LongestRemoving = TimeSpan.FromHours(2);

    /// <summary>Long enough for a person to see what was reported.</summary>
    private static readonly TimeSpan LeftoversKeptFor = TimeSpan.FromDays(1);

    private readonly HashSet<string> _reported = [];
    private readonly ClockWatch _clock = new(time);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("remove what is old", LongestRemoving, RemoveOrPostponeAsync, token => time.WaitAsync(Interval, token), stoppingToken);

    private async Task RemoveOrPostponeAsync(CancellationToken cancellation)
    {
        try
        {
            await RemoveWhatIsOldAsync(cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException or IOException or UnauthorizedAccessException || exception.IsRedisAway())
        {
            Log.Postponed(logger, exception.Message);
        }
    }

    private TimeSpan Interval =>
        options.Value.KeepFor / 4 is { } quarter && quarter < LongestInterval
            ? quarter > ShortestInterval ? quarter : ShortestInterval
            : LongestInterval;

    private async Task RemoveWhatIsOldAsync(CancellationToken cancellation)
    {
        if (_clock.Look() is { } set)
            Log.ClockSet(logger, set);
        if (options.Value.KeepFor is { } keepFor && !_clock.IsDoubted)
            await RemoveRecordingsAsync(endedBefore: time.GetUtcNow() - keepFor, cancellation);
        converter.ClearAway();
        soFar.ClearAway();
        foreach (var leftover in await leftovers.LookAsync(cancellation))
        {
            if (_reported.Add(leftover.Path))
                Log.LeftByNobody(logger, leftover.Path);
            if (leftover.Session is { } session && time.GetUtcNow() - session.WrittenAt > LeftoversKeptFor && !_clock.IsDoubted)
            {
                await RemoveAsync(session.Id, () =>
                {
                    folders.Remove(session.UserId, session.Id);
                    Log.Removed(logger, leftover.Path);
                    return Task.CompletedTask;
                });
            }
        }
    }

    /// <summary>What of one bot cannot be removed keeps nothing else.</summary>
    private async Task RemoveAsync(SessionId id, Func<Task> remove)
    {
        try
        {
            await remove();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.NotRemoved(logger, id, exception.Message);
        }
    }

    private async Task RemoveRecordingsAsync(DateTimeOffset endedBefore, CancellationToken cancellation)
    {
        await foreach (var bot in store.NewestAsync(user: null, status: null, after: null, Batch, cancellation))
        {
            if (!bot.Status.IsTerminal() || !(bot.EndedAt < endedBefore))
                continue;
            await using var lease = await leases.TryTakeAsync(bot.Id, cancellation);
            if (lease is not null && await store.FindAsync(bot.Id) is not null)
                await RemoveAsync(bot.Id, () => remover.DeleteAsync(bot, cancellation));
        }

        foreach (var final in finals.List())
        {
            if (final.WrittenAt < endedBefore && await store.FindAsync(final.Id) is null)
            {
                await RemoveAsync(final.Id, () =>
                {
                    finals.Delete(final.UserId, final.Id);
                    Log.RecordingRemoved(logger, final.Id, final.UserId);
                    return Task.CompletedTask;
                });
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Path} was left by nobody; a session's folder is removed a day after it was last written to")]
        public static partial void LeftByNobody(ILogger logger, string path);

        [LoggerMessage(LogLevel.Information, "Removed {Path}, which was left by nobody")]
        public static partial void Removed(ILogger logger, string path);

        [LoggerMessage(LogLevel.Information, "Removed the recording {SessionId} of user {UserId}, of which there was no record any more")]
        public static partial void RecordingRemoved(ILogger logger, SessionId sessionId, UserId userId);

        [LoggerMessage(LogLevel.Error, "What is left of bot {SessionId} is old and cannot be removed: {Why}")]
        public static partial void NotRemoved(ILogger logger, SessionId sessionId, string why);

        [LoggerMessage(LogLevel.Warning, "The clock was set by {Set}; after it was set ahead, nothing is removed for being old within an hour")]
        public static partial void ClockSet(ILogger logger, TimeSpan set);

        [LoggerMessage(LogLevel.Warning, "What is old cannot be removed at the moment: {Why}")]
        public static partial void Postponed(ILogger logger, string why);
    }
}
