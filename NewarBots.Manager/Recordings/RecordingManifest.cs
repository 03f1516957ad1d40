using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>What exactly was recorded: the JSON file beside the recording. Times of day are UTC, durations seconds.</summary>
internal sealed record RecordingManifest
{
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public int Version { get; init; } = CurrentVersion;

    public required SessionId SessionId { get; init; }

    public required UserId UserId { get; init; }

    public required Uri MeetingUrl { get; init; }

    public required string BotName { get; init; }

    public required Platform Platform { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    public EndReason? Reason { get; init; }

    /// <summary>The recorder ended by its own will, and the recording has neither gaps nor damage.</summary>
    public required bool Complete { get; init; }

    /// <summary>Wall-clock time of the first sample; absent where no chunk tells it.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>As decoded.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>How much of it is not silent, as decoded (<see cref="ChunkFormat.AudibleLevel"/>).</summary>
    public required double AudibleSeconds { get; init; }

    public required string Format { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }

    /// <summary>What the recording was put together from, in order.</summary>
    public required IReadOnlyList<ManifestChunk> Chunks { get; init; }

    /// <summary>Where nothing could be captured or kept; silence in the recording.</summary>
    public required IReadOnlyList<Gap> Gaps { get; init; }

    /// <summary>Who spoke when, in order of their first words; empty where the recorder did not tell.</summary>
    public IReadOnlyList<ManifestSpeaker> Speakers { get; init; } = [];

    /// <summary>The tracks that were kept alone as well, each in a file beside the recording; empty where that was not asked for.</summary>
    public IReadOnlyList<ManifestTrack> Tracks { get; init; } = [];

    /// <summary>What else lay in the session's folder and is not in the recording.</summary>
    public required IReadOnlyList<IgnoredFile> Ignored { get; init; }

    /// <summary>
    /// The chunks of which something could not be read: they are kept as they were found, in the folder beside the recording that ends
    /// in <c>.damaged</c>, under these names.
    /// </summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    /// <summary>Everything that can be had of a track is in the recording.</summary>
    public bool Accounts(int track) => Tracks.Any(known => known.Track == track && known.Problem is not TrackProblem.Undecodable);

    /// <returns><see langword="null"/> where there is none or what is there is no manifest of this version.</returns>
    /// <exception cref="IOException">The file is there and cannot be read.</exception>
    public static RecordingManifest? TryRead(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize<RecordingManifest>(file, Json) is { Version: CurrentVersion } manifest
                ? manifest
                : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    public void Write(Stream target) => JsonSerializer.Serialize(target, this, Json);
}

/// <param name="Index">The chunk's number.</param>
/// <param name="File">Its file's name.</param>
/// <param name="Sha256">Of the file as it was found.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="StartSeconds">Where it begins in the recording.</param>
/// <param name="DurationSeconds">How long it is in the recording.</param>
/// <param name="StartedAt">Wall-clock time of its first sample.</param>
/// <param name="Problem">What was wrong with it.</param>
internal sealed record ManifestChunk(
    int Index,
    string File,
    string Sha256,
    long Bytes,
    double StartSeconds,
    double DurationSeconds,
    DateTimeOffset? StartedAt = null,
    ChunkProblem? Problem = null);

/// <summary>One track alone. Its times are on the recording's time line.</summary>
/// <param name="Track">Its number, as in the source <c>track:1</c> of a speaker.</param>
internal sealed record ManifestTrack(int Track)
{
    /// <summary>Whom it carried, where that was one person throughout.</summary>
    public string? Name { get; init; }

    /// <summary>Its file's name, beside the recording; absent where it could not be made.</summary>
    public string? File { get; init; }

    /// <summary>Where it begins; absent where no chunk tells it.</summary>
    public double? StartSeconds { get; init; }

    /// <summary>As decoded.</summary>
    public double? DurationSeconds { get; init; }

    public long? Bytes { get; init; }

    public string? Sha256 { get; init; }

    /// <summary>Where something of this track is missing that the mix may have; silence in its file.</summary>
    public IReadOnlyList<Gap> Gaps { get; init; } = [];

    /// <summary>Why there is no file.</summary>
    public TrackProblem? Problem { get; init; }

    /// <param name="track">What came of its chunks.</param>
    /// <param name="session">Whose it is.</param>
    /// <param name="startedAt">When the recording begins.</param>
    /// <param name="speakers">Who spoke in the recording.</param>
    public static ManifestTrack Of(AssembledTrack track, SessionId session, DateTimeOffset? startedAt, IReadOnlyList<ManifestSpeaker> speakers)
    {
        var named = speakers.Where(speaker => speaker.Source == $"track:{track.Track}").ToList();
        var entry = new ManifestTrack(track.Track) { Name = named is [var only] ? only.Name : null, Problem = track.Problem };
        if (track.Audio is not { } audio)
            return entry;
        var start = (audio.Plan.StartedAt - startedAt)?.TotalSeconds;
        return entry with
        {
            File = StorageLayout.TrackName(session, track.Track),
            StartSeconds = start,
            DurationSeconds = audio.Decoded.Length.TotalSeconds,
            Bytes = audio.Bytes,
            Sha256 = audio.Sha256,
            Gaps = [.. audio.Plan.Gaps.Select(gap => new Gap(OnTimeLine(gap.StartSeconds), OnTimeLine(gap.EndSeconds), gap.Cause))],
        };

        double OnTimeLine(double seconds) => Math.Round((start ?? 0) + seconds, 3);
    }
}

/// <param name="File">Its name in the session's folder.</param>
/// <param name="Why">Why it is not in the recording.</param>
/// <param name="Bytes">Its size, where it is a plain file.</param>
internal sealed record IgnoredFile(string File, IgnoredBecause Why, long? Bytes = null);

/// <summary>In the manifest in snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<IgnoredBecause>))]
internal enum IgnoredBecause
{
    /// <summary>Its name is not a chunk's.</summary>
    NotAChunk,

    /// <summary>It is a symbolic link and was not followed.</summary>
    SymbolicLink,

    /// <summary>It is a folder and was not looked into.</summary>
    Folder,

    /// <summary>It has no bytes.</summary>
    Empty,

    /// <summary>It is far longer than a recorder makes it, and was not read.</summary>
    TooBig,

    /// <summary>There is no whole page of audio in it.</summary>
    Unreadable,

    /// <summary>Its pages are whole, and a decoder can do nothing with what is on them.</summary>
    Undecodable,

    /// <summary>All of it is in another chunk.</summary>
    Doubled,

    /// <summary>It says that it belongs to another session.</summary>
    OtherSession,
}
