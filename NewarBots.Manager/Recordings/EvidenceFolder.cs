using System.Globalization;
using System.IO.Compression;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Screenshots and other files that a recorder saved when something went wrong (<see cref="StorageLayout.EvidenceFolderName"/>). Keeps
/// them beside the recording, and packs them into a zip together with the bot and its log.
/// </summary>
internal sealed class EvidenceFolder(StorageLayout storage)
{
    /// <summary>Limit for one bot, so that a faulty or hostile recorder cannot fill the disk.</summary>
    public const long MaxBytes = 32 * 1024 * 1024;

    private const int MaxFiles = 200;

    /// <summary>Copies the evidence of a session beside its recording. Idempotent.</summary>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public void Keep(SessionFolder session, UserId user, SessionId id, CancellationToken cancellation)
    {
        var left = MaxBytes;
        foreach (var (occasion, name, file) in session.Evidence().Take(MaxFiles))
        {
            using (file)
            {
                cancellation.ThrowIfCancellationRequested();
                if (file.Length > left)
                    return;
                var folder = Directory.CreateDirectory(Path.Combine(storage.Evidence(user, id), occasion)).FullName;
                using var copy = File.Create(Path.Combine(folder, name));
                left -= file.CopyTo(copy, left);
            }
        }
    }

    public void Delete(UserId user, SessionId id)
    {
        var folder = storage.Evidence(user, id);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Screenshots in the order of their occasions, whose folders are numbered: <c>1_denied_by_host</c>.</summary>
    public IEnumerable<FileInfo> Pictures(Bot bot)
    {
        var folder = new DirectoryInfo(storage.Evidence(bot.UserId, bot.Id));
        return folder.Exists
            ? folder.EnumerateFiles("*.png", SearchOption.AllDirectories).Where(file => file.LinkTarget is null)
                .OrderBy(file => Number(file.Directory!.Name)).ThenBy(file => file.FullName, StringComparer.Ordinal)
            : [];
    }

    private static int Number(string occasion) =>
        int.TryParse(occasion.AsSpan(0, Math.Max(0, occasion.IndexOf('_', StringComparison.Ordinal))), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : int.MaxValue;

    /// <returns><see langword="false"/> if nothing went wrong, so that there is nothing to pack.</returns>
    public bool HasAny(Bot bot) => bot is not ({ Status: BotStatus.Completed, EndedCleanly: true } or { Status: BotStatus.Cancelled }) || Directory.Exists(storage.Evidence(bot.UserId, bot.Id));

    /// <summary>Writes a zip file while it packs it, in constant memory.</summary>
    /// <param name="bot">An ended bot.</param>
    /// <param name="description">The bot as JSON, as the API returns it.</param>
    /// <param name="writeLog">Writes the container's log.</param>
    /// <param name="destination">Gets the zip.</param>
    /// <param name="cancellation">Stops reading at once. The zip is then incomplete.</param>
    public async Task PackAsync(
        Bot bot, ReadOnlyMemory<byte> description, Func<Stream, CancellationToken, Task> writeLog, Stream destination, CancellationToken cancellation)
    {
        await using var output = new ZipOutput(destination);
        await using (var archive = await ZipArchive.CreateAsync(output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellation))
            await PackAsync(archive, bot, description, writeLog, cancellation);
        await output.FlushAsync(cancellation);
    }

    private async Task PackAsync(
        ZipArchive archive, Bot bot, ReadOnlyMemory<byte> description, Func<Stream, CancellationToken, Task> writeLog, CancellationToken cancellation)
    {
        await AddAsync("bot.json", CompressionLevel.Fastest, bot.EndedAt, (entry, token) => entry.WriteAsync(description, token).AsTask());
        await AddAsync("recorder.log", CompressionLevel.Fastest, bot.EndedAt, writeLog);
        var folder = new DirectoryInfo(storage.Evidence(bot.UserId, bot.Id));
        if (!folder.Exists)
            return;
        var files = folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.LinkTarget is null)
            .Take(MaxFiles).OrderBy(file => file.FullName, StringComparer.Ordinal);
        foreach (var file in files)
        {
            await using var source = file.OpenRead();
            // Screenshots are compressed already.
            var level = file.Extension is ".png" ? CompressionLevel.NoCompression : CompressionLevel.Fastest;
            await AddAsync(Path.GetRelativePath(folder.FullName, file.FullName), level, new DateTimeOffset(file.LastWriteTimeUtc), source.CopyToAsync);
        }

        async Task AddAsync(string name, CompressionLevel level, DateTimeOffset? writtenAt, Func<Stream, CancellationToken, Task> write)
        {
            cancellation.ThrowIfCancellationRequested();
            var entry = archive.CreateEntry(name, level);
            if (writtenAt is { Year: >= 1980 and < 2108 } at)
                entry.LastWriteTime = at;
            await using var content = await entry.OpenAsync(cancellation);
            await write(content, cancellation);
        }
    }
}
