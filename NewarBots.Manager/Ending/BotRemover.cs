using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>Removes the container of an ended bot, and deletes a bot with all its data.</summary>
internal sealed partial class BotRemover(
    IRecorderRuntime runtime,
    RecorderAccess access,
    SessionFolders folders,
    BotLog log,
    FinalFiles finals,
    PartialRecording partials,
    DoubtedRecordings doubts,
    BotCommands commands,
    ILogger<BotRemover> logger)
{
    /// <summary>Keeps the log, then removes the container, the partial recording and the bot's Redis user. Idempotent.</summary>
    public async Task RemoveContainerAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = BotTracing.StartStep("bot remove", bot);
        try
        {
            partials.Delete(bot.UserId, bot.Id);
            await log.KeepAsync(bot, cancellation);
            await runtime.RemoveAsync(bot.Id, cancellation);
            await access.RemoveAsync(bot.Id);
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            throw;
        }
    }

    /// <summary>
    /// Deletes the copy of the record that was kept for its recovery, once the end is on record. Chunks that are kept may still become a recording, so
    /// their bot's copy stays.
    /// </summary>
    public void ForgetLaunch(Bot ended)
    {
        if (!folders.Exists(ended.UserId, ended.Id))
            folders.Forget(ended.UserId, ended.Id);
    }

    /// <summary>
    /// Deletes the recording, manifest, log, evidence, chunks and record. The record goes last: if anything fails before, the caller
    /// can retry.
    /// </summary>
    public async Task DeleteAsync(Bot bot, CancellationToken cancellation)
    {
        await runtime.RemoveAsync(bot.Id, cancellation);
        await access.RemoveAsync(bot.Id);
        finals.Delete(bot.UserId, bot.Id);
        partials.Delete(bot.UserId, bot.Id);
        doubts.Forget(bot.Id);
        folders.Remove(bot.UserId, bot.Id);
        folders.Forget(bot.UserId, bot.Id);
        await commands.DeleteAsync(bot);
        Log.Deleted(logger, bot.Id, bot.UserId);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Deleted bot {SessionId} of user {UserId}: recording, manifest, log, evidence, chunks and record")]
        public static partial void Deleted(ILogger logger, SessionId sessionId, UserId userId);
    }
}
