using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Stops recorders whose folder takes more space than their recording can need, before they fill the disk. The recording so far is kept.
/// </summary>
internal sealed partial class FolderLimit(
    StorageLayout storage, BotCommands commands, BotStopper stopper, BotMetrics metrics, IOptions<RecordingOptions> recording, TimeProvider time,
    ILogger<FolderLimit> logger)
{
    /// <summary>Evidence, journal, and files of a browser that crashed.</summary>
    private const long Base = 128 * 1024 * 1024;

    /// <summary>Opus needs at most 510 kbit/s (RFC 6716, 2.1.1); the mix has 32.</summary>
    private const long BytesPerSecond = 64_000;

    /// <summary>Lengths of the session that separate tracks may add. Pages mix all participants into a few tracks.</summary>
    private const int Tracks = 8;

    /// <param name="bot">A bot whose recorder runs.</param>
    public async Task EnforceAsync(Bot bot)
    {
        if (bot is not { LaunchedAt: { } launchedAt, Status: < BotStatus.Finalizing })
            return;
        var elapsed = time.GetUtcNow() - launchedAt;
        // A clock that was set back proves nothing.
        var seconds = (elapsed < TimeSpan.Zero ? bot.Leave.MaxDuration : elapsed).TotalSeconds;
        var limit = Base + (long)(seconds * BytesPerSecond * (recording.Value.TrackFiles ? 1 + Tracks : 1));
        using var folder = UntrustedFolder.Open(storage, bot.UserId, bot.Id, out _);
        var isUnusual = false;
        var bytes = folder?.Measure(RemovalBudget.OfFolder(), out isUnusual) ?? 0;
        if (bytes <= limit && !isUnusual)
            return;
        if (isUnusual)
            Log.Unusual(logger, bot.Id);
        else
            Log.OverLimit(logger, bot.Id, bytes, limit);
        metrics.OverBudget();
        await commands.UpdateAsync(bot.Id, BotLifecycle.OverStorageLimit);
        stopper.Enqueue(bot.Id);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The folder of bot {SessionId} takes {Bytes} bytes, and its recording can need {Limit}: stopping the bot")]
        public static partial void OverLimit(ILogger logger, SessionId sessionId, long bytes, long limit);

        [LoggerMessage(LogLevel.Error, "The folder of bot {SessionId} is nested too deeply or has too many entries: stopping the bot")]
        public static partial void Unusual(ILogger logger, SessionId sessionId);
    }
}
