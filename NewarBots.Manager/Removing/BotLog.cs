using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;

namespace NewarBots.Manager.Removing;

/// <summary>What a bot's container printed: from the engine while there is a container, from the storage afterwards.</summary>
internal sealed class BotLog(IRecorderContainers containers, StorageLayout storage)
{
    public async Task<string> ReadAsync(Bot bot, CancellationToken cancellation)
    {
        var kept = storage.Log(bot.UserId, bot.Id);
        if (File.Exists(kept))
            return await File.ReadAllTextAsync(kept, cancellation);
        using var log = new MemoryStream();
        await containers.CopyLogAsync(bot.Id, log, cancellation);
        return Encoding.UTF8.GetString(log.GetBuffer(), 0, (int)log.Length);
    }

    /// <summary>Keeps the log beside the recording; what was kept before stays where there is no container any more.</summary>
    public async Task KeepAsync(Bot bot, CancellationToken cancellation)
    {
        if (await containers.FindAsync(bot.Id, cancellation) is null)
            return;
        var path = storage.Log(bot.UserId, bot.Id);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var beside = $"{path}.partial";
        await using (var file = File.Create(beside))
        {
            await containers.CopyLogAsync(bot.Id, file, cancellation);
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }
}
