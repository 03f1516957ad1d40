using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Assembles the recording so far of a live bot into one file: all chunks except the last one, which is still being written. Output is
/// reproducible: a deleted file can be assembled again with the same bytes, so that range requests stay valid.
/// </summary>
internal sealed partial class PartialRecording(
    StorageLayout storage, AssemblyProcess assembly, ClockSetBack clock, IOptions<FinalizingOptions> options, TimeProvider time, ILogger<PartialRecording> logger)
    : IDisposable
{
    public const int MaxWaitingOfOneUser = 5;

    private const int KeptPerBot = 2;

    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    /// <summary>Each bot's files are assembled one at a time. Opening an existing file does not wait.</summary>
    private readonly ConcurrentDictionary<SessionId, SemaphoreSlim> _locks = new();

    /// <summary>Limits all bots together. Separate from conversions, which may take minutes each.</summary>
    private readonly SemaphoreSlim _slots = new(options.Value.MaxConcurrent);

    private readonly WaitingLimit<UserId> _waiting = new(MaxWaitingOfOneUser);

    /// <summary>Number of chunks that are no longer written to.</summary>
    public int ClosedChunks(UserId user, SessionId id) =>
        SessionFolder.Find(storage, user, id)?.Chunks() is [.., var open] ? open.Index : 0;

    /// <param name="bot">A bot that records.</param>
    /// <param name="chunks">Number of chunks to include, from the first.</param>
    /// <param name="cancellation">Ends the assembly at once, and leaves no files behind.</param>
    /// <exception cref="FinalizationException">The chunks cannot be assembled.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public async Task<PartialFile> OpenAsync(Bot bot, int chunks, CancellationToken cancellation)
    {
        var path = Path.Combine(storage.SoFarFolder(bot.UserId, bot.Id), $"{chunks:D5}.ogg");
        if (Find(path) is { } existing)
            return new PartialFile.Ready(existing);
        using var place = _waiting.TryEnter(bot.UserId);
        if (place is null)
            return new PartialFile.QueueFull(MaxWaitingOfOneUser);
        var botLock = _locks.GetOrAdd(bot.Id, _ => new(1));
        await botLock.WaitAsync(cancellation);
        try
        {
            if (Find(path) is { } madeInTheMeantime)
                return new PartialFile.Ready(madeInTheMeantime);
            return chunks <= ClosedChunks(bot.UserId, bot.Id) && await AssembleInSlotAsync(bot, chunks, path, cancellation)
                ? new PartialFile.Ready(File.OpenRead(path))
                : new PartialFile.NotReady();
        }
        finally
        {
            botLock.Release();
        }
    }

    /// <summary>Deletes the partial recordings of an ended bot.</summary>
    public void Delete(UserId user, SessionId id)
    {
        _locks.TryRemove(id, out _);
        UntrustedFolder.Delete(storage.SoFarFolder(user, id));
    }

    /// <summary>Deletes files left by crashed managers.</summary>
    /// <returns>Paths of folders that cannot be deleted.</returns>
    public IReadOnlyList<string> DeleteAbandonedFiles()
    {
        if (!Directory.Exists(storage.SoFarRoot))
            return [];
        var abandoned =
            from user in new DirectoryInfo(storage.SoFarRoot).EnumerateDirectories()
            from folder in user.EnumerateDirectories()
            where time.GetUtcNow().UtcDateTime - folder.LastWriteTimeUtc > AbandonedAfter
            select folder.FullName;
        return [.. abandoned.ToList().Where(path => !WorkFolder.TryDelete(path))];
    }

    public void Dispose() => _slots.Dispose();

    [LoggerMessage(LogLevel.Error, "Assembling the partial recording of bot {SessionId} failed, a later request tries again: {Error}")]
    private partial void LogFailed(SessionId sessionId, string error);

    private static FileStream? Find(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private async Task<bool> AssembleInSlotAsync(Bot bot, int chunks, string path, CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation);
        try
        {
            return await AssembleAsync(bot, chunks, path, cancellation);
        }
        catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
        {
            LogFailed(bot.Id, exception.Message);
            throw;
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<bool> AssembleAsync(Bot bot, int chunks, string path, CancellationToken cancellation)
    {
        if (SessionFolder.Find(storage, bot.UserId, bot.Id) is not { } session)
            return false;
        // A unique name, since another manager may be assembling the same file.
        using var work = new WorkFolder(Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetRandomFileName()}"));
        var budget = RecordingBudget.Of(bot, time.GetUtcNow(), clock.Total);
        // The recorder may replace its files at any moment, and they stay its own.
        using var copies = new WorkFolder($"{work.Root}.chunks");
        await Task.Run(() => Copy(session, chunks, copies.Root, budget, cancellation), cancellation);
        var made = await assembly.RunAsync(
            new()
            {
                Session = bot.Id.ToString(),
                IsPart = true,
                Budget = budget,
                Limits = budget.Limits(options.Value, hasTracks: false),
                Options = options.Value,
            },
            SessionFolder.Open(copies.Root),
            work,
            cancellation);
        if (made.Mix is not { } mix)
            return false;
        File.Move(work.Take(mix.File), path, overwrite: true);
        foreach (var older in new DirectoryInfo(Path.GetDirectoryName(path)!).EnumerateFiles().OrderByDescending(file => file.LastWriteTimeUtc).Skip(KeptPerBot))
            older.Delete();
        return true;
    }

    /// <summary>
    /// Copies the first chunks of a running recorder, which is untrusted and may replace a file at any moment: links are not followed, and
    /// pipes are not waited for.
    /// </summary>
    /// <param name="session">The session's folder.</param>
    /// <param name="chunks">Number of chunks, from the first.</param>
    /// <param name="target">The folder for the copies.</param>
    /// <param name="budget">Chunks beyond its bytes are left out.</param>
    /// <param name="cancellation">Leaves the copies that were made.</param>
    private static void Copy(SessionFolder session, int chunks, string target, RecordingBudget budget, CancellationToken cancellation)
    {
        var left = budget.Bytes;
        foreach (var chunk in session.Chunks().Where(chunk => chunk.Index < chunks && chunk.Bytes > 0))
        {
            cancellation.ThrowIfCancellationRequested();
            left -= Copy(chunk.Path, Path.Combine(target, Path.GetFileName(chunk.Path)), left);
        }
    }

    private static long Copy(string source, string target, long most)
    {
        using var chunk = UntrustedFile.Open(source, out _);
        if (chunk is null || chunk.Length > Math.Min(most, ChunkFolder.MaxChunkBytes))
            return 0;
        using var copy = File.Create(target);
        return chunk.CopyTo(copy, ChunkFolder.MaxChunkBytes);
    }
}

/// <summary>The result of a request for a partial recording.</summary>
internal abstract record PartialFile
{
    /// <param name="File">Open. The caller disposes it.</param>
    public sealed record Ready(FileStream File) : PartialFile;

    /// <summary>There are fewer closed chunks, or none is readable.</summary>
    public sealed record NotReady : PartialFile;

    /// <param name="Limit">So many requests of the user run or wait already.</param>
    public sealed record QueueFull(int Limit) : PartialFile;
}
