using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Ending;

/// <summary>The log of a bot's container: read from the engine while the container exists, from storage afterwards.</summary>
internal sealed partial class BotLog(
    IRecorderContainers containers, StorageLayout storage, BotQueries queries, TimeProvider time, ILogger<BotLog> logger)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    public async Task<string> ReadAsync(Bot bot, CancellationToken cancellation)
    {
        var kept = storage.Log(bot.UserId, bot.Id);
        if (File.Exists(kept))
            return await File.ReadAllTextAsync(kept, cancellation);
        using var log = new MemoryStream();
        await containers.CopyLogAsync(bot.Id, log, cancellation);
        return Encoding.UTF8.GetString(log.GetBuffer(), 0, (int)log.Length);
    }

    /// <exception cref="ContainerEngineException">The log is still in the engine, and the engine is unavailable.</exception>
    public Task EnsureReadableAsync(Bot bot, CancellationToken cancellation) =>
        bot.AwaitsContainer || File.Exists(storage.Log(bot.UserId, bot.Id)) ? Task.CompletedTask : containers.FindAsync(bot.Id, cancellation);

    /// <summary>The last line of a log that the engine cut off.</summary>
    public static string EndedBy(ContainerEngineException exception) => $"\n(The log ends here. {exception.Explanation})\n";

    /// <summary>Streams the log from its beginning. Waits until the container is created, and ends when it exits.</summary>
    public async Task FollowAsync(Bot bot, Stream destination, CancellationToken cancellation)
    {
        while (bot.AwaitsContainer)
        {
            await Task.Delay(PollInterval, time, cancellation);
            if (await queries.LookUpAsync(bot.Id) is not { Bot: { } current })
                return;
            bot = current;
        }

        var kept = storage.Log(bot.UserId, bot.Id);
        if (!File.Exists(kept))
        {
            await containers.FollowLogAsync(bot.Id, destination, cancellation);
            return;
        }

        await using var file = File.OpenRead(kept);
        await file.CopyToAsync(destination, cancellation);
    }

    /// <summary>
    /// Stores the log beside the recording. If the container is gone, an earlier stored log stays. If the engine refuses to return the
    /// log, the stored log says so.
    /// </summary>
    public async Task KeepAsync(Bot bot, CancellationToken cancellation)
    {
        if (await containers.FindAsync(bot.Id, cancellation) is null)
            return;
        var path = storage.Log(bot.UserId, bot.Id);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var beside = $"{path}.partial";
        await using (var file = File.Create(beside))
        {
            try
            {
                await containers.CopyLogAsync(bot.Id, file, cancellation);
            }
            catch (ContainerEngineException exception) when (exception.Failure is ContainerEngineFailure.Refused)
            {
                // The engine would refuse again: the end of the bot must not wait for it.
                Log.Refused(logger, bot.Id, exception.Message);
                await file.WriteAsync(Encoding.UTF8.GetBytes(EndedBy(exception)), cancellation);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The log of bot {SessionId} is stored incompletely, the engine refused to return it: {Error}")]
        public static partial void Refused(ILogger logger, SessionId sessionId, string error);
    }
}
