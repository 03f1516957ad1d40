using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>Takes away what a bot leaves behind.</summary>
internal sealed partial class BotRemover(
    IRecorderContainers containers,
    RecorderAccess access,
    SessionFolders folders,
    KeptLog log,
    FinalFolders finals,
    PartialRecording soFar,
    BotStore store,
    ILogger<BotRemover> logger)
{
    /// <summary>After the bot's end: the container goes, its log stays; its way into Redis is closed. May be repeated.</summary>
    public async Task RemoveContainerAsync(Bot bot, CancellationToken cancellation)
    {
        using var step = BotTracing.StartStep("bot remove", bot);
        try
        {
            soFar.Delete(bot.UserId, bot.Id);
            await log.KeepAsync(bot, cancellation);
            await containers.RemoveAsync(bot.Id, cancellation);
            await access.RemoveAsync(bot.Id);
        }
        catch (Exception exception)
        {
            step.Fail(exception);
            throw;
        }
    }

    /// <summary>At the user's word: recording, manifest, log, evidence, chunks and record. The record goes last, so that it can be repeated.</summary>
    public async Task DeleteAsync(Bot bot, CancellationToken cancellation)
    {
        await containers.RemoveAsync(bot.Id, cancellation);
        await access.RemoveAsync(bot.Id);
        finals.Delete(bot.UserId, bot.Id);
        soFar.Delete(bot.UserId, bot.Id);
        folders.Remove(bot.UserId, bot.Id);
        await store.DeleteAsync(bot);
        Log.Deleted(logger, bot.Id, bot.UserId);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Deleted bot {SessionId} of user {UserId}: recording, manifest, log, evidence, chunks and record")]
        public static partial void Deleted(ILogger logger, SessionId sessionId, UserId userId);
    }
}
