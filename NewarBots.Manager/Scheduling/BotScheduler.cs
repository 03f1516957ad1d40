using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Scheduling;

/// <summary>
/// Queues scheduled bots when they are due. It sleeps until the next one is due, and is woken when the schedule changes. Every manager runs
/// a scheduler; the first one to change the record starts the bot.
/// </summary>
internal sealed partial class BotScheduler(
    BotQueries queries,
    BotCommands commands,
    ScheduleSignal signal,
    LaunchSignal launches,
    BackgroundLoops loops,
    IOptions<BotCapacityOptions> options,
    TimeProvider time,
    ILogger<BotScheduler> logger) : BackgroundService
{
    /// <summary>The clock may be set meanwhile, and a notification of another manager may be lost.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>While Redis is unreachable, or a due bot waits for something that causes no notification.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private TimeSpan _wait;
    private bool _hasSeenAll;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("schedule", BackgroundLoops.DefaultTimeout, StartOrPostponeAsync, token => signal.WaitAsync(_wait, time, token), stoppingToken);

    private async Task StartOrPostponeAsync(CancellationToken cancellation)
    {
        _wait = RetryInterval;
        try
        {
            _wait = await StartDueAsync(cancellation);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            Log.Unreadable(logger, exception.Message);
        }
    }

    /// <returns>How long to sleep.</returns>
    private async Task<TimeSpan> StartDueAsync(CancellationToken cancellation)
    {
        // Reading all scheduled bots once puts them into the cache, which survives an emptied Redis.
        if (!_hasSeenAll)
            await queries.ScheduledAsync();
        _hasSeenAll = true;
        var (due, next) = await queries.DueAsync(time.GetUtcNow());
        var haveToWait = false;
        foreach (var id in due)
        {
            cancellation.ThrowIfCancellationRequested();
            haveToWait |= !await StartAsync(id);
        }

        return WaitFor(next, time.GetUtcNow(), haveToWait);
    }

    /// <param name="next">When the next bot is due, if any.</param>
    /// <param name="now">The current time.</param>
    /// <param name="haveToWait">Some bots are due but cannot start yet.</param>
    internal static TimeSpan WaitFor(DateTimeOffset? next, DateTimeOffset now, bool haveToWait)
    {
        var longest = haveToWait ? RetryInterval : LongestWait;
        return next - now is not { } untilNext || untilNext > longest ? longest
            : untilNext > TimeSpan.Zero ? untilNext
            : TimeSpan.Zero;
    }

    /// <returns><see langword="false"/> if the bot has to wait.</returns>
    private async Task<bool> StartAsync(SessionId id)
    {
        var now = time.GetUtcNow();
        if (await commands.UpdateAsync(id, known => BotLifecycle.StartMissed(known, now)) is not { Status: BotStatus.Scheduled } bot)
            return true;

        using var start = BotTracing.StartLife("bot start", bot);
        switch (await commands.StartAsync(id, now, start?.Id, BotLimits.Of(options.Value)))
        {
            case StartResult.Started:
                Log.Started(logger, id, bot.DueAt);
                launches.Raise();
                return true;
            case StartResult.MeetingTaken taken:
                await PostponeAsync(bot, new(EndReason.MeetingTaken, $"Bot {taken.Holder} of the same user is in this meeting; this one starts once that one has left."));
                break;
            case StartResult.OverQuota:
                await PostponeAsync(bot, new(EndReason.UserOverQuota, $"User {bot.UserId} has reached the quota of active bots; this one starts once one of them has ended."));
                break;
        }

        start.Forget();
        return false;
    }

    private async Task PostponeAsync(Bot bot, BotWarning why)
    {
        if (bot.Warning != why && await commands.UpdateAsync(bot.Id, known => BotLifecycle.StartPostponed(known, why)) is { Status: BotStatus.Scheduled })
            Log.Postponed(logger, bot.Id, why.Text);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Started bot {SessionId}, which was scheduled for {StartAt}")]
        public static partial void Started(ILogger logger, SessionId sessionId, DateTimeOffset startAt);

        [LoggerMessage(LogLevel.Warning, "Bot {SessionId} is due but cannot start yet, will retry: {Why}")]
        public static partial void Postponed(ILogger logger, SessionId sessionId, string? why);

        [LoggerMessage(LogLevel.Warning, "Reading the schedule failed, will retry: {Why}")]
        public static partial void Unreadable(ILogger logger, string why);
    }
}

internal static class SchedulingRegistration
{
    public static TBuilder AddScheduling<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHostedService<BotScheduler>();
        return builder;
    }
}
