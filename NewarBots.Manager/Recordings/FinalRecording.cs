using System.Globalization;
using System.Security.Cryptography;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// The finished file and its manifest at their final place. The manifest comes last and says that both are whole: an audio
/// file without one is what an interrupted attempt left, and is replaced by the next.
/// </summary>
/// <param name="storage">Where everything lies.</param>
/// <param name="user">Whose it is.</param>
/// <param name="id">The session.</param>
/// <param name="attempt">The number of this attempt to make it: a higher one than those of all before.</param>
internal sealed class FinalRecording(StorageLayout storage, UserId user, SessionId id, int attempt)
{
    private const string Work = ".finalizing";

    private readonly string _audio = storage.Recording(user, id);
    private readonly string _manifest = storage.Manifest(user, id);

    public override string ToString() => _audio;

    /// <summary>Either of the two is there.</summary>
    public bool HasTraces => File.Exists(_audio) || File.Exists(_manifest);

    /// <returns>The manifest, where it and the audio file agree.</returns>
    public async Task<RecordingManifest?> FindAsync(CancellationToken cancellation)
    {
        if (RecordingManifest.TryRead(_manifest) is not { } manifest || manifest.SessionId != id || !File.Exists(_audio))
            return null;
        var (bytes, sha256) = await MeasureAsync(_audio, cancellation);
        return manifest.Bytes == bytes && manifest.Sha256 == sha256 ? manifest : null;
    }

    /// <summary>
    /// A folder beside the final place, empty: a file in it is moved there in one step. It is this attempt's alone. Those of earlier ones
    /// go; a manager that was held up over one, and goes on, finds it gone and touches nobody else's.
    /// </summary>
    public WorkFolder MakeWorkFolder()
    {
        foreach (var earlier in WorkFolders().Where(folder => AttemptOf(folder) < attempt))
            Directory.Delete(earlier, recursive: true);
        // Attempts are counted anew where Redis was emptied: two managers may have the same number, and not the same folder.
        return new(Path.Combine(storage.FinalFolder(user), $".{id}.{attempt}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}{Work}"));
    }

    /// <summary>What interrupted attempts have left of their scratch space.</summary>
    public void ClearAway()
    {
        foreach (var folder in WorkFolders())
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Brings the file to the disk.</summary>
    /// <returns>Its size, and its SHA-256 in lower-case hexadecimal.</returns>
    public static async Task<(long Bytes, string Sha256)> SealAsync(string path, CancellationToken cancellation)
    {
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Write))
            file.Flush(flushToDisk: true);
        return await MeasureAsync(path, cancellation);
    }

    /// <param name="audio">A file in the work folder that was brought to the disk.</param>
    /// <param name="tracks">Likewise, those of the tracks alone; others that lie there go.</param>
    /// <param name="manifest">What they are.</param>
    /// <param name="work">Of the same recording.</param>
    public void Publish(string audio, IEnumerable<AssembledTrack> tracks, RecordingManifest manifest, WorkFolder work)
    {
        var beside = work.PathOf("manifest.json");
        using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
        {
            manifest.Write(file);
            file.Flush(flushToDisk: true);
        }

        // Before anything is taken away: whoever was held up here while another manager published finds its own work gone.
        File.Move(audio, _audio, overwrite: true);
        var moved = new HashSet<string>();
        foreach (var track in tracks)
        {
            if (track.Audio is not { } alone)
                continue;
            var path = storage.Track(user, id, track.Track);
            File.Move(alone.Path, path, overwrite: true);
            moved.Add(path);
        }

        DeleteTracks(storage, user, id, but: moved);
        File.Move(beside, _manifest, overwrite: true);
    }

    /// <summary>
    /// Moves the chunks that nobody could read to beside the recording: nothing that was flushed is thrown away for that. May be repeated.
    /// </summary>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void KeepDamaged(SessionFolder session, RecordingManifest manifest)
    {
        foreach (var name in manifest.Damaged)
        {
            var chunk = new FileInfo(Path.Combine(session.Path, name));
            if (chunk is not { Exists: true, LinkTarget: null })
                continue;
            var kept = Path.Combine(storage.Damaged(user, id), name);
            Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
            chunk.MoveTo(kept, overwrite: true);
        }
    }

    /// <summary>The files of tracks alone, whatever their numbers.</summary>
    public static void DeleteTracks(StorageLayout storage, UserId user, SessionId id, IReadOnlySet<string>? but = null)
    {
        foreach (var track in Directory.EnumerateFiles(storage.FinalFolder(user), StorageLayout.TrackPattern(id)).Where(track => but?.Contains(track) is not true))
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

/// <summary>Scratch space of one attempt: empty at its begin, gone at its end, or at the begin of the next one.</summary>
internal sealed class WorkFolder : IDisposable
{
    private readonly string _path;

    public WorkFolder(string path)
    {
        _path = path;
        Dispose();
        Directory.CreateDirectory(path);
    }

    public string Root => _path;

    public string PathOf(string name) => Path.Combine(_path, name);

    public void Dispose()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }
}
