using System.Buffers;
using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Ending;

/// <summary>The log of a bot's container: read from the engine while the container exists, from storage afterwards.</summary>
internal sealed partial class BotLog(
    IRecorderRuntime runtime, StorageLayout storage, BotQueries queries, TimeProvider time, ILogger<BotLog> logger)
{
    /// <summary>Longer logs are cut. Docker keeps the last 10 MB of a log.</summary>
    public const long MaxBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Opens the log so far. A log of the engine is copied to disk first: a slow reader does not hold a connection to the engine, and an
    /// unavailable engine is noticed before the response starts.
    /// </summary>
    /// <exception cref="ContainerEngineException">The log is still in the engine, and the engine is unavailable.</exception>
    public async Task<Stream> OpenAsync(Bot bot, CancellationToken cancellation)
    {
        if (FindKept(bot) is { } kept)
            return kept;
        var path = Path.Combine(Directory.CreateDirectory(storage.SoFarRoot).FullName, $".{Path.GetRandomFileName()}.log");
        var copy = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite);
        try
        {
            // The file exists until it is closed, even if the manager crashes.
            File.Delete(path);
            await runtime.CopyLogAsync(bot.Id, copy, cancellation);
            copy.Position = 0;
            return copy;
        }
        catch
        {
            await copy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes at most <see cref="MaxBytes"/> of a log as text that a terminal may display, in constant memory.</summary>
    /// <param name="log">From <see cref="OpenAsync"/>.</param>
    /// <param name="destination">Stays open.</param>
    /// <param name="cancellation">Stops reading.</param>
    public static async Task CopyAsync(Stream log, Stream destination, CancellationToken cancellation)
    {
        var text = new PlainTextStream(destination);
        await CopyBoundedAsync(log, text, cancellation);
        await text.CompleteAsync(cancellation);
    }

    /// <exception cref="ContainerEngineException">The log is still in the engine, and the engine is unavailable.</exception>
    public Task EnsureReadableAsync(Bot bot, CancellationToken cancellation) =>
        bot.AwaitsContainer || File.Exists(storage.Log(bot.UserId, bot.Id)) ? Task.CompletedTask : runtime.FindAsync(bot.Id, cancellation);

    /// <summary>The last line of a log that the engine cut off.</summary>
    public static string EndedBy(ContainerEngineException exception) => $"\n(The log ends here. {exception.Explanation})\n";

    /// <summary>Streams the log from its beginning, unchanged. Waits until the container is created, and ends when it exits.</summary>
    public async Task FollowAsync(Bot bot, Stream destination, CancellationToken cancellation)
    {
        while (bot.AwaitsContainer)
        {
            await Task.Delay(PollInterval, time, cancellation);
            if (await queries.LookUpAsync(bot.Id) is not { Bot: { } current })
                return;
            bot = current;
        }

        await using var kept = FindKept(bot);
        if (kept is null)
            await runtime.FollowLogAsync(bot.Id, destination, cancellation);
        else
            await CopyBoundedAsync(kept, destination, cancellation);
    }

    /// <summary>
    /// Stores the log beside the recording. If the container is gone, an earlier stored log stays. If the engine refuses to return the
    /// log, the stored log says so.
    /// </summary>
    public async Task KeepAsync(Bot bot, CancellationToken cancellation)
    {
        if (await runtime.FindAsync(bot.Id, cancellation) is null)
            return;
        var path = storage.Log(bot.UserId, bot.Id);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var beside = $"{path}.partial";
        await using (var file = File.Create(beside))
        {
            try
            {
                await runtime.CopyLogAsync(bot.Id, file, cancellation);
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

    private FileStream? FindKept(Bot bot)
    {
        try
        {
            return File.OpenRead(storage.Log(bot.UserId, bot.Id));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static async Task CopyBoundedAsync(Stream log, Stream destination, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            var left = MaxBytes;
            while (await log.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, Math.Max(left, 1))), cancellation) is > 0 and var read)
            {
                if (left == 0)
                {
                    await destination.WriteAsync("\n(The log is longer than 16 MB and is cut here.)\n"u8.ToArray(), cancellation);
                    return;
                }

                await destination.WriteAsync(buffer.AsMemory(0, read), cancellation);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The log of bot {SessionId} is stored incompletely, the engine refused to return it: {Error}")]
        public static partial void Refused(ILogger logger, SessionId sessionId, string error);
    }
}
