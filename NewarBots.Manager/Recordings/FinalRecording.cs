using System.Globalization;
using System.Security.Cryptography;
using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// The finished audio file and its manifest. The manifest is written last and marks both as complete: an audio file without a manifest
/// comes from an interrupted attempt, and the next attempt replaces it.
/// </summary>
/// <param name="storage">The storage paths.</param>
/// <param name="user">Owner of the bot.</param>
/// <param name="id">The session.</param>
/// <param name="attempt">Number of this finalization attempt, higher than those of all earlier attempts.</param>
internal sealed class FinalRecording(StorageLayout storage, UserId user, SessionId id, int attempt)
{
    private const string Work = ".finalizing";

    private readonly string _audio = storage.Recording(user, id);
    private readonly string _manifest = storage.Manifest(user, id);

    public override string ToString() => _audio;

    /// <summary>The audio file or the manifest exists.</summary>
    public bool HasAnyFile => File.Exists(_audio) || File.Exists(_manifest);

    /// <summary>
    /// Chunks were moved to the folder of damaged chunks, but nothing was published: the bot is over its budget
    /// (<see cref="KeepWithinBudget"/>). Otherwise they are moved after the manifest is published.
    /// </summary>
    public bool HasOnlyKeptChunks => !HasAnyFile && Directory.Exists(storage.Damaged(user, id));

    /// <returns>The manifest; <see langword="null"/> unless both files exist and match.</returns>
    public async Task<RecordingManifest?> FindAsync(CancellationToken cancellation)
    {
        if (RecordingManifest.TryRead(_manifest) is not { } manifest || manifest.SessionId != id || !File.Exists(_audio))
            return null;
        var (bytes, sha256) = await MeasureAsync(_audio, cancellation);
        return manifest.Bytes == bytes && manifest.Sha256 == sha256 ? manifest : null;
    }

    /// <summary>
    /// Creates an empty folder for this attempt, on the same volume as the final files, so that moving them is atomic. Deletes the
    /// folders of earlier attempts: a manager that lost its lease finds its folder gone, and cannot touch another attempt's files.
    /// </summary>
    public WorkFolder MakeWorkFolder()
    {
        foreach (var earlier in WorkFolders().Where(folder => AttemptOf(folder) < attempt))
            UntrustedFolder.Delete(earlier);
        // The random suffix matters if Redis was emptied: the count restarts, and two managers may have the same number.
        return new(Path.Combine(storage.FinalFolder(user), $".{id}.{attempt}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}{Work}"));
    }

    /// <summary>Deletes the work folders of interrupted attempts.</summary>
    public void DeleteWorkFolders()
    {
        foreach (var folder in WorkFolders())
            UntrustedFolder.Delete(folder);
    }

    /// <summary>
    /// Takes a file that another process made: nobody else can change it from here on. Flushes it to disk and measures it.
    /// </summary>
    /// <param name="work">The work folder.</param>
    /// <param name="audio">Names a file in it.</param>
    /// <param name="cancellation">Cancels the reading.</param>
    /// <exception cref="FinalizationException">It is no regular file.</exception>
    public static async Task<AssembledAudio> SealAsync(WorkFolder work, AssembledAudio audio, CancellationToken cancellation)
    {
        var path = work.Take(audio.File);
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Write))
            file.Flush(flushToDisk: true);
        var (bytes, sha256) = await MeasureAsync(path, cancellation);
        return audio with { Bytes = bytes, Sha256 = sha256 };
    }

    /// <summary>Moves the files to their final place, the manifest last.</summary>
    /// <param name="audio">The assembled file in the work folder, sealed.</param>
    /// <param name="tracks">The assembled tracks. Track files of earlier attempts are deleted.</param>
    /// <param name="manifest">Describes all files.</param>
    /// <param name="work">The work folder of this attempt, in which another process made the audio.</param>
    public void Publish(AssembledAudio audio, IEnumerable<AssembledTrack> tracks, RecordingManifest manifest, WorkFolder work)
    {
        // The process that assembled the audio may have left anything in its work folder, such as a link with the manifest's name.
        using var own = MakeWorkFolder();
        const string Manifest = "manifest.json";
        using (var file = new FileStream(own.PathOf(Manifest), FileMode.CreateNew, FileAccess.Write))
        {
            manifest.Write(file);
            file.Flush(flushToDisk: true);
        }

        // First, because it fails if another manager has published in the meantime and deleted this work folder.
        File.Move(work.PathOf(audio.File), _audio, overwrite: true);
        var moved = new HashSet<string>();
        foreach (var track in tracks)
        {
            if (track.Audio is not { } alone)
                continue;
            var path = storage.Track(user, id, track.Track);
            File.Move(work.PathOf(alone.File), path, overwrite: true);
            moved.Add(path);
        }

        DeleteTracks(storage, user, id, except: moved);
        File.Move(own.Take(Manifest), _manifest, overwrite: true);
    }

    /// <summary>
    /// Moves damaged chunks to a folder beside the recording, since flushed audio must never be lost. Idempotent.
    /// </summary>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public void KeepDamaged(SessionFolder session, RecordingManifest manifest) => Keep(session, manifest.Damaged);

    private void Keep(SessionFolder session, IEnumerable<string> chunks)
    {
        foreach (var chunk in chunks)
        {
            var kept = Path.Combine(storage.Damaged(user, id), chunk);
            Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
            using var folder = UntrustedFolder.Open(Path.GetDirectoryName(Path.Combine(session.Path, chunk))!, out _);
            folder?.MoveFile(Path.GetFileName(chunk), kept);
        }
    }

    /// <summary>
    /// Moves the chunks and the journal of a bot that is over its budget to the folder of damaged chunks, as far as an honest bot can have written them.
    /// </summary>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public void KeepWithinBudget(SessionFolder session, RecordingBudget budget)
    {
        Keep(session, budget.Within(session).Select(Path.GetFileName).OfType<string>());
        var left = budget.BytesOfTracks;
        foreach (var (track, folder) in session.Tracks().Take(RecordingBudget.MaxTracks))
        {
            var kept = RecordingBudget.Within(folder, left).Select(Path.GetFileName).ToHashSet();
            left -= folder.Chunks().Where(chunk => kept.Contains(Path.GetFileName(chunk.Path))).Sum(chunk => chunk.Bytes);
            Keep(session, kept.Select(chunk => $"{StorageLayout.TrackFolderName(track)}/{chunk}"));
        }

        if (session.HasReadableJournal)
            Keep(session, [Journal.FileName]);
    }

    /// <summary>Deletes all track files of a session, except those in <paramref name="except"/>.</summary>
    public static void DeleteTracks(StorageLayout storage, UserId user, SessionId id, IReadOnlySet<string>? except = null)
    {
        foreach (var track in Directory.EnumerateFiles(storage.FinalFolder(user), StorageLayout.TrackPattern(id)).Where(track => except?.Contains(track) is not true))
            File.Delete(track);
    }

    private string[] WorkFolders() => Directory.Exists(storage.FinalFolder(user))
        ? Directory.GetDirectories(storage.FinalFolder(user), $".{id}.*{Work[1..]}")
        : [];

    private static int AttemptOf(string workFolder) => int.TryParse(Path.GetFileName(workFolder).Split('.')[^3], CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static async Task<(long Bytes, string Sha256)> MeasureAsync(string path, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(path);
        return (file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)));
    }
}

/// <summary>Folder for temporary files: created empty, deleted with its content at the end.</summary>
internal sealed class WorkFolder : IDisposable
{
    private static readonly TimeSpan MeasuringTimeout = TimeSpan.FromSeconds(10);

    private readonly string _path;

    /// <summary>The group that finished files have.</summary>
    private readonly uint _group;

    public WorkFolder(string path)
    {
        _path = path;
        Dispose();
        Directory.CreateDirectory(path);
        using var folder = Open();
        _group = folder.Owner.Gid;
    }

    public string Root => _path;

    public string PathOf(string name) => Path.Combine(_path, name);

    /// <summary>Lets a process that runs with limits write here.</summary>
    /// <exception cref="IOException">The folder cannot be given to it.</exception>
    public void GiveTo(ContainerUser user)
    {
        using var folder = Open();
        folder.GiveTo(user);
    }

    /// <summary>Makes a file in this folder the manager's own, also if another process wrote it, with the group of finished files.</summary>
    /// <param name="file">Its name, or the names of a folder and the file in it.</param>
    /// <returns>Its path.</returns>
    /// <exception cref="FinalizationException">It is missing, or no regular file of its own.</exception>
    public string Take(string file)
    {
        using var root = UntrustedFolder.Open(_path, out _);
        root?.TakeOver(_group);
        using var part = Path.GetDirectoryName(file) is { Length: > 0 } folder ? root?.OpenFolder(folder, out _) : null;
        part?.TakeOver(_group);
        using var taken = (part ?? root)?.OpenFile(Path.GetFileName(file), out _);
        return taken?.TakeOver(_group) is true ? PathOf(file) : throw new FinalizationException($"{PathOf(file)} is no regular file.");
    }

    /// <summary>Space that all entries take.</summary>
    /// <param name="isUnusual">
    /// It has more than <see cref="RecordingBudget.MaxFiles"/> entries, or folders that no assembly makes, or it is closed.
    /// </param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public long Measure(out bool isUnusual)
    {
        using var folder = UntrustedFolder.Open(_path, out var problem);
        // A process of the manager's own user can close the folder.
        isUnusual = problem is not (FileProblem.None or FileProblem.Missing);
        return folder?.Measure(new(RecordingBudget.MaxFiles, MeasuringTimeout), out isUnusual) ?? 0;
    }

    /// <summary>Deletes the work folder, or a temporary file, of a crashed manager.</summary>
    public static bool TryDelete(string path)
    {
        try
        {
            UntrustedFolder.Delete(path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose() => UntrustedFolder.Delete(_path);

    private UntrustedFolder Open() => UntrustedFolder.Open(_path, out _) ?? throw new IOException($"{_path} is missing.");
}
