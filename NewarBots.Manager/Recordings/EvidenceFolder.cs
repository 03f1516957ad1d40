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
    public void Keep(SessionFolder session, UserId user, SessionId id)
    {
        var left = MaxBytes;
        foreach (var (occasion, name, file) in session.Evidence().Take(MaxFiles))
        {
            using (file)
            {
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

    /// <param name="bot">An ended bot.</param>
    /// <param name="description">The bot as JSON, as the API returns it.</param>
    /// <param name="log">The container's log.</param>
    /// <returns>A zip file; <see langword="null"/> if nothing went wrong.</returns>
    public byte[]? Pack(Bot bot, byte[] description, string log)
    {
        var folder = new DirectoryInfo(storage.Evidence(bot.UserId, bot.Id));
        if (!folder.Exists && bot is { Status: BotStatus.Completed, EndedCleanly: true })
            return null;

        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            using (var entry = archive.CreateEntry("bot.json").Open())
                entry.Write(description);
            using (var entry = new StreamWriter(archive.CreateEntry("recorder.log").Open()))
                entry.Write(log);
            if (folder.Exists)
            {
                foreach (var file in folder.EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
                    archive.CreateEntryFromFile(file.FullName, Path.GetRelativePath(folder.FullName, file.FullName));
            }
        }

        return zip.ToArray();
    }
}
