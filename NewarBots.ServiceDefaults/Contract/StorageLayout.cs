using System.Globalization;

namespace NewarBots.Contract;

/// <summary>Where everything lies below the storage folder (<c>STORAGE_PATH</c>, <c>Storage:Path</c>).</summary>
public sealed class StorageLayout(string root)
{
    /// <summary>The storage folder inside a recorder's container.</summary>
    public const string RootInContainer = "/app/storage";

    /// <summary>Each user's folder is this, followed by the user's id.</summary>
    public const string UserFolderPrefix = "user_";

    /// <summary>Below a session's folder: what the recorder saw when something went wrong, a folder for each time.</summary>
    public const string EvidenceFolderName = "evidence";

    /// <summary>Tracks of a session are numbered from 1 to this; what comes later has no file of its own.</summary>
    public const int MaxTrack = 999;

    /// <summary>Between a session's id and the track's number, in the name of the file of one track alone.</summary>
    public const string TrackMark = ".track-";

    private const string TrackFolderPrefix = "track_";

    public string Root { get; } = Path.GetFullPath(root);

    public string TempRoot => Path.Combine(Root, "recordings", "temp");

    public string FinalRoot => Path.Combine(Root, "recordings", "final");

    /// <summary>Where recordings lie that are listened to while they are made; nothing here is worth keeping.</summary>
    public string SoFarRoot => Path.Combine(Root, "recordings", "so-far");

    public string SoFarFolder(UserId user, SessionId id) => Path.Combine(SoFarRoot, UserFolder(user), id.ToString());

    /// <summary>The session's folder while it records: chunks and <see cref="Journal"/>. The recorder sees this one only.</summary>
    public string SessionFolder(UserId user, SessionId id) => Path.Combine(TempRoot, UserFolder(user), id.ToString());

    public string FinalFolder(UserId user) => Path.Combine(FinalRoot, UserFolder(user));

    public string Recording(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.ogg");

    public string Manifest(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.json");

    public string Log(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.log");

    /// <summary>The file of one track alone.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="id">The session.</param>
    /// <param name="track">Its number in the session.</param>
    public string Track(UserId user, SessionId id, int track) => Path.Combine(FinalFolder(user), TrackName(id, track));

    public static string TrackName(SessionId id, int track) => $"{id}{TrackMark}{track}.ogg";

    /// <summary>The pattern of all that <see cref="Track"/> gives for a session.</summary>
    public static string TrackPattern(SessionId id) => $"{id}{TrackMark}*.ogg";

    /// <summary>A recording, or the file of a track, in another format.</summary>
    /// <param name="recording">The file that it is made of.</param>
    /// <param name="format">The extension, without the dot.</param>
    public static string Converted(string recording, string format) => Path.ChangeExtension(recording, format);

    /// <summary>How loud a recording is where, for its picture.</summary>
    /// <param name="recording">The file that it is made of.</param>
    public static string Waveform(string recording) => Path.ChangeExtension(recording, "waveform.json");

    /// <summary>Below a session's folder: the chunks of one track alone.</summary>
    /// <param name="track">Its number in the session, from 1 to <see cref="MaxTrack"/>.</param>
    public static string TrackFolderName(int track) => $"{TrackFolderPrefix}{track}";

    public static bool TryParseTrackFolderName(string name, out int track)
    {
        track = 0;
        return name.StartsWith(TrackFolderPrefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(TrackFolderPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out track)
            && track is >= 1 and <= MaxTrack
            && name == TrackFolderName(track);
    }

    /// <summary>A folder: what the recorder left in <see cref="EvidenceFolderName"/>.</summary>
    public string Evidence(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.evidence");

    /// <summary>A folder: chunks of which something could not be read, as the recorder left them.</summary>
    public string Damaged(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.damaged");

    private static string UserFolder(UserId user) => $"{UserFolderPrefix}{user}";
}
