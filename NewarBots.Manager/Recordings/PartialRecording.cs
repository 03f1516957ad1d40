using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Assembles the recording so far of a live bot into one file: all chunks except the last one, which is still being written. Output is
/// reproducible: a deleted file can be assembled again with the same bytes, so that range requests stay valid.
/// </summary>
internal sealed class PartialRecording(StorageLayout storage, FFmpegConcatenator concatenator, IOptions<FinalizingOptions> options, TimeProvider time) : IDisposable
{
    private const int KeptPerBot = 2;

    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    /// <summary>Each bot's files are assembled one at a time. Opening an existing file does not wait.</summary>
    private readonly ConcurrentDictionary<SessionId, SemaphoreSlim> _locks = new();

    /// <summary>Limits all bots together. Separate from conversions, which may take minutes each.</summary>
    private readonly SemaphoreSlim _slots = new(options.Value.MaxConcurrent);

    /// <summary>Number of chunks that are no longer written to.</summary>
    public int ClosedChunks(UserId user, SessionId id) =>
        SessionFolder.Find(storage, user, id)?.Chunks() is [.., var open] ? open.Index : 0;

    /// <param name="user">Owner of the bot.</param>
    /// <param name="id">The bot.</param>
    /// <param name="chunks">Number of chunks to include, from the first.</param>
    /// <param name="cancellation">Leaves no files behind.</param>
    /// <returns>The open file; <see langword="null"/> if there are fewer closed chunks, or none is readable.</returns>
    /// <exception cref="FinalizationException">The chunks cannot be assembled.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public async Task<FileStream?> OpenAsync(UserId user, SessionId id, int chunks, CancellationToken cancellation)
    {
        var path = Path.Combine(storage.SoFarFolder(user, id), $"{chunks:D5}.ogg");
        if (Find(path) is { } existing)
            return existing;
        var botLock = _locks.GetOrAdd(id, _ => new(1));
        await botLock.WaitAsync(cancellation);
        try
        {
            if (Find(path) is { } madeInTheMeantime)
                return madeInTheMeantime;
            return chunks <= ClosedChunks(user, id) && await AssembleInSlotAsync(user, id, chunks, path, cancellation) ? File.OpenRead(path) : null;
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
        if (Directory.Exists(storage.SoFarFolder(user, id)))
            Directory.Delete(storage.SoFarFolder(user, id), recursive: true);
    }

    /// <summary>Deletes files left by crashed managers.</summary>
    public void DeleteAbandonedFiles()
    {
        if (!Directory.Exists(storage.SoFarRoot))
            return;
        foreach (var folder in new DirectoryInfo(storage.SoFarRoot).EnumerateDirectories().SelectMany(user => user.EnumerateDirectories()))
        {
            if (time.GetUtcNow().UtcDateTime - folder.LastWriteTimeUtc > AbandonedAfter)
                folder.Delete(recursive: true);
        }
    }

    public void Dispose() => _slots.Dispose();

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

    private async Task<bool> AssembleInSlotAsync(UserId user, SessionId id, int chunks, string path, CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation);
        try
        {
            return await AssembleAsync(user, id, chunks, path, cancellation);
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<bool> AssembleAsync(UserId user, SessionId id, int chunks, string path, CancellationToken cancellation)
    {
        var session = SessionFolder.Find(storage, user, id);
        if (session is null)
            return false;
        // A unique name, since another manager may be assembling the same file.
        using var work = new WorkFolder(Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetRandomFileName()}"));
        foreach (var chunk in session.Chunks().Where(chunk => chunk.Index < chunks && chunk.Bytes > 0))
            Copy(chunk.Path, work.PathOf(Path.GetFileName(chunk.Path)));
        var copies = new ChunkFolder(work.Root);
        var plan = ChunkManifest.Plan(id, copies.Chunks().Select(chunk => ChunkReader.Read(chunk.Path, chunk.Index)), SessionJournal.Empty);
        if (plan.Pieces.Count == 0)
            return false;

        var made = work.PathOf("recording.ogg");
        await concatenator.ConcatenateAsync(new PieceFiles(copies, work.Root).Make(plan, cancellation), id, made, cancellation);
        File.Move(made, path, overwrite: true);
        foreach (var older in new DirectoryInfo(Path.GetDirectoryName(path)!).EnumerateFiles().OrderByDescending(file => file.LastWriteTimeUtc).Skip(KeptPerBot))
            older.Delete();
        return true;
    }

    /// <summary>
    /// Copies a chunk of a running recorder, which is untrusted and may replace the file at any moment: links are not followed, and
    /// pipes are not waited for.
    /// </summary>
    private static void Copy(string source, string target)
    {
        using var chunk = UntrustedFile.Open(source, out _);
        if (chunk is null || chunk.Length > ChunkFolder.MaxChunkBytes)
            return;
        using var copy = File.Create(target);
        chunk.CopyTo(copy, ChunkFolder.MaxChunkBytes);
    }
}
