using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// What a bot has recorded so far, as one file: its chunks but the last one, which is still written to. The same chunks give the
/// same bytes, so that a file can be had in parts and, when it was removed meanwhile, made again.
/// </summary>
internal sealed partial class PartialRecording(StorageLayout storage, FFmpegConcatenator concatenator, IOptions<FinalizingOptions> options, TimeProvider time) : IDisposable
{
    private const int KeptPerBot = 2;

    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    /// <summary>One file of a bot is made at a time; what is made already waits for nobody.</summary>
    private readonly ConcurrentDictionary<SessionId, SemaphoreSlim> _ofBot = new();

    /// <summary>For all bots together, and apart from those for conversions, which may take minutes each.</summary>
    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrent);

    /// <summary>How many chunks there are that do not change any more.</summary>
    public int ClosedChunks(UserId user, SessionId id) =>
        SessionFolder.Find(storage, user, id)?.Chunks() is [.., var open] ? open.Index : 0;

    /// <param name="user">Whose bot it is.</param>
    /// <param name="id">The bot.</param>
    /// <param name="chunks">Those with a number below this.</param>
    /// <param name="cancellation">Leaves nothing.</param>
    /// <returns>The file, open; <see langword="null"/> where there are not so many chunks, or none of them can be read.</returns>
    /// <exception cref="FinalizationException">They cannot be put together.</exception>
    /// <exception cref="FFmpegMissingException">There is no FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public async Task<FileStream?> OpenAsync(UserId user, SessionId id, int chunks, CancellationToken cancellation)
    {
        var path = Path.Combine(storage.SoFarFolder(user, id), $"{chunks:D5}.ogg");
        if (Find(path) is { } made)
            return made;
        var ofBot = _ofBot.GetOrAdd(id, _ => new(1));
        await ofBot.WaitAsync(cancellation);
        try
        {
            if (Find(path) is { } madeMeanwhile)
                return madeMeanwhile;
            return chunks <= ClosedChunks(user, id) && await MakeInTurnAsync(user, id, chunks, path, cancellation) ? File.OpenRead(path) : null;
        }
        finally
        {
            ofBot.Release();
        }
    }

    /// <summary>Nothing is recorded any more.</summary>
    public void Delete(UserId user, SessionId id)
    {
        _ofBot.TryRemove(id, out _);
        if (Directory.Exists(storage.SoFarFolder(user, id)))
            Directory.Delete(storage.SoFarFolder(user, id), recursive: true);
    }

    /// <summary>Removes what was left by managers that were killed.</summary>
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

    public void Dispose() => _places.Dispose();

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

    private async Task<bool> MakeInTurnAsync(UserId user, SessionId id, int chunks, string path, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        try
        {
            return await MakeAsync(user, id, chunks, path, cancellation);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<bool> MakeAsync(UserId user, SessionId id, int chunks, string path, CancellationToken cancellation)
    {
        var session = SessionFolder.Find(storage, user, id);
        if (session is null)
            return false;
        // A name of its own: another manager may be at it.
        using var work = new WorkFolder(Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetRandomFileName()}"));
        foreach (var chunk in session.Chunks().Where(chunk => chunk.Index < chunks && chunk.Bytes > 0))
            Copy(chunk.Path, work.PathOf(Path.GetFileName(chunk.Path)));
        var copies = new AudioFolder(new(work.Root));
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
    /// Copies what a recorder that still runs has written, and could exchange at any moment: a link that was a file when the folder
    /// was listed is not followed, and a pipe not waited for.
    /// </summary>
    private static void Copy(string source, string target)
    {
        using var handle = new SafeFileHandle(Open(source, OpenFlags), ownsHandle: true);
        if (handle.IsInvalid)
            return;
        using var file = new FileStream(handle, FileAccess.Read);
        if (!file.CanSeek || file.Length > SizeLimits.OfChunk)
            return;
        using var copy = File.Create(target);
        file.CopyTo(copy);
    }

    /// <summary>O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW of Linux, whose last one differs by processor.</summary>
    private static int OpenFlags => 0x800 | 0x80000 | (RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
