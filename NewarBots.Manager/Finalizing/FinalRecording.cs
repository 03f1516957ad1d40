using System.Security.Cryptography;
using NewarBots.Contract;

namespace NewarBots.Manager.Finalizing;

/// <summary>
/// The finished file and its manifest at their final place. The manifest comes last and says that both are whole: an audio
/// file without one is what an interrupted attempt left, and is replaced by the next.
/// </summary>
internal sealed class FinalRecording(StorageLayout storage, UserId user, SessionId id)
{
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

    /// <summary>A folder beside the final place, empty: a file in it is moved there in one step.</summary>
    public WorkFolder MakeWorkFolder() => new(Path.Combine(storage.FinalFolder(user), $".{id}.finalizing"));

    /// <summary>What an attempt that was interrupted after it had published has left of its scratch space.</summary>
    public void ClearAway() => MakeWorkFolder().Dispose();

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

        File.Delete(_manifest);
        DeleteTracks(storage, user, id);
        foreach (var track in tracks)
        {
            if (track.Audio is { } alone)
                File.Move(alone.Path, storage.Track(user, id, track.Track));
        }

        File.Move(audio, _audio, overwrite: true);
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
    public static void DeleteTracks(StorageLayout storage, UserId user, SessionId id)
    {
        foreach (var track in Directory.EnumerateFiles(storage.FinalFolder(user), StorageLayout.TrackPattern(id)))
            File.Delete(track);
    }

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
