using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Ending;

/// <summary>What a bot's container printed: from the engine while there is a container, from the storage afterwards.</summary>
internal sealed partial class KeptLog(
    IRecorderContainers containers, StorageLayout storage, BotStore store, TimeProvider time, ILogger<KeptLog> logger)
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    public async Task<string> ReadAsync(Bot bot, CancellationToken cancellation)
    {
        var kept = storage.Log(bot.UserId, bot.Id);
        if (File.Exists(kept))
            return await File.ReadAllTextAsync(kept, cancellation);
        using var log = new MemoryStream();
        await containers.CopyLogAsync(bot.Id, log, cancellation);
        return Encoding.UTF8.GetString(log.GetBuffer(), 0, (int)log.Length);
    }

    /// <exception cref="ContainerEngineException">The engine has it, and cannot be asked.</exception>
    public Task EnsureReadableAsync(Bot bot, CancellationToken cancellation) =>
        bot.AwaitsContainer || File.Exists(storage.Log(bot.UserId, bot.Id)) ? Task.CompletedTask : containers.FindAsync(bot.Id, cancellation);

    /// <summary>What a log says where the engine hands out no more of it.</summary>
    public static string EndedBy(ContainerEngineException exception) => $"\n(The log ends here. {exception.Message})\n";

    /// <summary>Writes it as it is printed, from the beginning; waits for a container that is still to come, and ends with it.</summary>
    public async Task FollowAsync(Bot bot, Stream destination, CancellationToken cancellation)
    {
        while (bot.AwaitsContainer)
        {
            await Task.Delay(LookAgainAfter, time, cancellation);
            if (await store.LookUpAsync(bot.Id) is not { Bot: { } now })
                return;
            bot = now;
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
    /// Keeps the log beside the recording; what was kept before stays where there is no container any more. Where the engine refuses to
    /// hand it out, the log says so.
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
                // It will not answer otherwise another time: the bot's end is not to wait for it.
                Log.Refused(logger, bot.Id, exception.Message);
                await file.WriteAsync(Encoding.UTF8.GetBytes(EndedBy(exception)), cancellation);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The log of bot {SessionId} cannot be kept: {Why}")]
        public static partial void Refused(ILogger logger, SessionId sessionId, string why);
    }
}
