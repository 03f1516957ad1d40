using System.Globalization;

namespace NewarBots.Contract;

/// <summary>Paths of all files and folders in the storage folder (<c>Storage:Path</c>).</summary>
public sealed class StorageLayout(string root)
{
    /// <summary>Prefix of each user's folder; the user's id follows.</summary>
    public const string UserFolderPrefix = "user_";

    /// <summary>Subfolder of the session folder with the recorder's evidence, one folder per failure.</summary>
    public const string EvidenceFolderName = "evidence";

    /// <summary>The latest screenshot of a live bot's page, in its session folder. Each one replaces the file.</summary>
    public const string ScreenshotName = "screenshot.jpg";

    /// <summary>Tracks of a session are numbered from 1 to this; later tracks get no file.</summary>
    public const int MaxTrack = 999;

    /// <summary>Separates session id and track number in the file name of a single track.</summary>
    public const string TrackMark = ".track-";

    private const string TrackFolderPrefix = "track_";

    public string Root { get; } = Path.GetFullPath(root);

    public string TempRoot => Path.Combine(Root, "recordings", "temp");

    public string FinalRoot => Path.Combine(Root, "recordings", "final");

    /// <summary>Snapshots of partial recordings; they can be recreated.</summary>
    public string SoFarRoot => Path.Combine(Root, "recordings", "so-far");

    public string SoFarFolder(UserId user, SessionId id) => Path.Combine(SoFarRoot, UserFolder(user), id.ToString());

    /// <summary>The session's folder while it records, with its chunks and <see cref="Journal"/>. It is the only folder that the recorder sees.</summary>
    public string SessionFolder(UserId user, SessionId id) => Path.Combine(TempRoot, UserFolder(user), id.ToString());

    /// <summary>
    /// The record of a bot at its launch, kept while it has a container or a session folder. Lies beside the session folder, where no recorder sees it.
    /// </summary>
    public string LaunchedBot(UserId user, SessionId id) => $"{SessionFolder(user, id)}.json";

    public string FinalFolder(UserId user) => Path.Combine(FinalRoot, UserFolder(user));

    public string Recording(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.ogg");

    public string Manifest(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.json");

    public string Log(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.log");

    /// <summary>The file of a single track.</summary>
    public string Track(UserId user, SessionId id, int track) => Path.Combine(FinalFolder(user), TrackName(id, track));

    public static string TrackName(SessionId id, int track) => $"{id}{TrackMark}{track}.ogg";

    /// <summary>Matches all track files of a session.</summary>
    public static string TrackPattern(SessionId id) => $"{id}{TrackMark}*.ogg";

    /// <summary>A recording or track in another format.</summary>
    /// <param name="recording">The original file.</param>
    /// <param name="format">The extension, without the dot.</param>
    public static string Converted(string recording, string format) => Path.ChangeExtension(recording, format);

    /// <summary>The waveform of a recording.</summary>
    /// <param name="recording">The original file.</param>
    public static string Waveform(string recording) => Path.ChangeExtension(recording, "waveform.json");

    /// <summary>The text of a recording.</summary>
    public string Transcript(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.transcript.json");

    /// <summary>The part of the text that was transcribed so far.</summary>
    public string TranscriptParts(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $".{id}.transcript.jsonl");

    /// <summary>Subfolder of the session folder with the chunks of a single track.</summary>
    /// <param name="track">From 1 to <see cref="MaxTrack"/>.</param>
    public static string TrackFolderName(int track) => $"{TrackFolderPrefix}{track}";

    public static bool TryParseTrackFolderName(string name, out int track)
    {
        track = 0;
        return name.StartsWith(TrackFolderPrefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(TrackFolderPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out track)
            && track is >= 1 and <= MaxTrack
            && name == TrackFolderName(track);
    }

    /// <summary>Folder with the contents of the session's <see cref="EvidenceFolderName"/>.</summary>
    public string Evidence(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.evidence");

    /// <summary>Folder with the original chunks that were not completely readable.</summary>
    public string Damaged(UserId user, SessionId id) => Path.Combine(FinalFolder(user), $"{id}.damaged");

    private static string UserFolder(UserId user) => $"{UserFolderPrefix}{user}";
}

/// <summary>Files that the manager writes into a session folder before its recorder starts.</summary>
public static class SessionInput
{
    /// <summary>A <see cref="RecorderAssignment"/>: a secret, readable only by the recorder, which deletes it right after reading it.</summary>
    public const string Assignment = "assignment.json";

    public const string SelectorPack = "selectors.json";

    /// <summary>A secret, readable only by the recorder, which deletes it right after reading it.</summary>
    public const string StorageState = "storage-state.json";

    public static IReadOnlyList<string> Names { get; } = [Assignment, SelectorPack, StorageState];

    public static bool IsName(string file) => Names.Contains(file);
}
