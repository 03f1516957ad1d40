using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// Stops recorders whose files take more space than their recording can need, before they fill the disk. Files that they deleted and still use count, if the
/// manager sees their processes (<see cref="DeletedFiles"/>). The recording so far is kept.
/// </summary>
internal sealed partial class FolderLimit(
    StorageLayout storage, BotCommands commands, BotStopper stopper, BotMetrics metrics, IOptions<RecordingOptions> recording, IOptions<LaunchingOptions> launching,
    TimeProvider time, ILogger<FolderLimit> logger)
{
    /// <summary>Evidence, journal, and files of a browser that crashed.</summary>
    private const long Base = 128 * Megabyte;

    private const long Megabyte = 1024 * 1024;

    /// <param name="bot">A bot whose recorder runs.</param>
    /// <exception cref="IOException">The folder cannot be measured, or only a part of it in time, and that part is within the limit.</exception>
    public async Task EnforceAsync(Bot bot)
    {
        if (bot is not { LaunchedAt: { } launchedAt, Status: < BotStatus.Finalizing, StopRequested: false })
            return;
        var elapsed = time.GetUtcNow() - launchedAt;
        // A clock that was set back proves nothing.
        var seconds = (elapsed < TimeSpan.Zero ? bot.Leave.MaxDuration : elapsed).TotalSeconds;
        var limit = Base + (long)(seconds * RecordingBudget.MaxBytesPerSecond * ((bot.RecordTracks ?? recording.Value.TrackFiles) ? 1 + RecordingBudget.MaxBytesOfTracks : 1));
        using var folder = UntrustedFolder.Open(storage, bot.UserId, bot.Id, out _);
        var isUnusual = false;
        var budget = RemovalBudget.OfFolder(time);
        var bytes = folder?.Measure(budget, out isUnusual) ?? 0;
        // Only such a user has no other program.
        if (folder is not null && ContainerUser.IsRoot && UserIdRange.TryParse(launching.Value.RecorderUserIds)?.Contains(folder.Owner.Uid) is true)
        {
            bytes += DeletedFiles.MeasureOf(folder.Owner.Uid, folder.Disk, out var hasMany);
            isUnusual |= hasMany;
        }

        if (bytes <= limit && !isUnusual)
        {
            // A slow disk is no reason to stop a bot.
            if (budget.IsLate)
                throw new IOException($"The disk is too slow: only {bytes} bytes of it were found in time.");
            return;
        }

        if (isUnusual)
            Log.Unusual(logger, bot.Id);
        else
            Log.OverLimit(logger, bot.Id, bytes, limit);
        metrics.OverBudget();
        var error = isUnusual
            ? "The recorder's folder is nested too deeply or has too many entries, or the recorder has too many open files."
            : $"The recorder's files took {bytes / Megabyte} MB; its recording can need at most {limit / Megabyte} MB.";
        await commands.UpdateAsync(bot.Id, known => BotLifecycle.OverStorageLimit(known, error));
        stopper.Enqueue(bot.Id);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The files of bot {SessionId} take {Bytes} bytes, and its recording can need {Limit}: stopping the bot")]
        public static partial void OverLimit(ILogger logger, SessionId sessionId, long bytes, long limit);

        [LoggerMessage(LogLevel.Error, "The folder of bot {SessionId} is nested too deeply or has too many entries, or it has too many open files: stopping the bot")]
        public static partial void Unusual(ILogger logger, SessionId sessionId);
    }
}
