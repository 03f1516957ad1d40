using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>The JSON file beside the recording that describes its content. Times are UTC, durations are in seconds.</summary>
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

    /// <summary>How many seconds the bot is kept after its end, if the bot has a retention of its own.</summary>
    public double? Retention { get; init; }

    public EndReason? Reason { get; init; }

    /// <summary>
    /// <see langword="false"/> if a listener misses something: more than 1 s in total, more than 0.5 s at once, the start or the end.
    /// </summary>
    public bool Complete { get; init; }

    /// <summary>Length of all gaps, overlaps counted once. Absent in manifests of earlier versions.</summary>
    public double? MissingSeconds { get; init; }

    /// <summary>Present if the bot did not hear part of the call.</summary>
    public RecordingWarning? Warning { get; init; }

    /// <summary>Wall-clock time of the first sample; absent if no chunk states it.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Measured by decoding.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>Seconds that are not silent (<see cref="ChunkFormat.AudibleLevel"/>), measured by decoding.</summary>
    public required double AudibleSeconds { get; init; }

    public required string Format { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }

    /// <summary>The chunks in the recording, in order.</summary>
    public required IReadOnlyList<ManifestChunk> Chunks { get; init; }

    /// <summary>Stretches without audio, because it was not captured or was lost. Silence in the recording.</summary>
    public required IReadOnlyList<Gap> Gaps { get; init; }

    /// <summary>Stretches in which somebody could be heard although the page counted nobody else; usually empty.</summary>
    public IReadOnlyList<Disagreement> Disagreements { get; init; } = [];

    /// <summary>Speakers in order of their first segment; empty if the recorder detected none.</summary>
    public IReadOnlyList<ManifestSpeaker> Speakers { get; init; } = [];

    /// <summary>Single tracks, each in a file beside the recording; empty unless requested.</summary>
    public IReadOnlyList<ManifestTrack> Tracks { get; init; } = [];

    /// <summary>Other entries of the session folder, which are not in the recording.</summary>
    public required IReadOnlyList<IgnoredFile> Ignored { get; init; }

    /// <summary>Damaged chunks, kept unchanged under these names in the folder beside the recording that ends in <c>.damaged</c>.</summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    /// <returns><see langword="null"/> if the file is missing, or is no manifest of this version.</returns>
    /// <exception cref="IOException">The file exists, but cannot be read.</exception>
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

    /// <summary>The summary that the bot's record keeps.</summary>
    public RecordingInfo ToRecording() => new(Format, Bytes, DurationSeconds, Complete)
    {
        MissingSeconds = MissingSeconds ?? Completeness.MissingSecondsOf(Gaps),
        Warning = Warning,
    };

    /// <summary>The speakers that the bot's record keeps.</summary>
    public IReadOnlyList<Speaker> ToSpeakers() => SpeakerList.Of(
        from speaker in Speakers
        from segment in speaker.Segments
        orderby segment.EndSeconds
        select new Speech(speaker.Source, segment.StartSeconds, segment.EndSeconds, segment.Level, speaker.Name));

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public void Write(Stream target) => JsonSerializer.Serialize(target, this, Json);
}

/// <param name="Index">Number of the chunk.</param>
/// <param name="File">Name of the file.</param>
/// <param name="Sha256">Hash of the chunk file.</param>
/// <param name="Bytes">Size of the chunk file.</param>
/// <param name="StartSeconds">Start in the recording.</param>
/// <param name="DurationSeconds">Length in the recording.</param>
/// <param name="StartedAt">Wall-clock time of the chunk's first sample.</param>
/// <param name="Problem">Damage of the chunk, if any.</param>
internal sealed record ManifestChunk(
    int Index,
    string File,
    string Sha256,
    long Bytes,
    double StartSeconds,
    double DurationSeconds,
    DateTimeOffset? StartedAt = null,
    ChunkProblem? Problem = null);

/// <summary>One single track. Times are on the recording's timeline.</summary>
/// <param name="Track">Number of the track, as in the speaker source <c>track:1</c>.</param>
internal sealed record ManifestTrack(int Track)
{
    /// <summary>Name of the participant, if the track carried only one.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the file beside the recording; absent if the track could not be assembled.</summary>
    public string? File { get; init; }

    /// <summary>Start in the recording; absent if no chunk states it.</summary>
    public double? StartSeconds { get; init; }

    /// <summary>Measured by decoding.</summary>
    public double? DurationSeconds { get; init; }

    public long? Bytes { get; init; }

    public string? Sha256 { get; init; }

    /// <summary>Stretches without audio of this track, although the mix may have it. Silence in the file.</summary>
    public IReadOnlyList<Gap> Gaps { get; init; } = [];

    /// <summary>Reason why there is no file.</summary>
    public TrackProblem? Problem { get; init; }

    /// <param name="track">The assembled track.</param>
    /// <param name="session">The session.</param>
    /// <param name="startedAt">Start of the recording.</param>
    /// <param name="speakers">Speakers of the recording.</param>
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
            Gaps = [.. audio.Plan.Gaps.Select(gap => new Gap(OnTimeline(gap.StartSeconds), OnTimeline(gap.EndSeconds), gap.Cause))],
        };

        double OnTimeline(double seconds) => Math.Round((start ?? 0) + seconds, 3);
    }
}

/// <param name="File">Name in the session folder.</param>
/// <param name="Why">Reason why it is not in the recording.</param>
/// <param name="Bytes">Size of a plain file.</param>
internal sealed record IgnoredFile(string File, IgnoreReason Why, long? Bytes = null);

/// <summary>Reason why an entry of the session folder is not in the recording. In snake_case in the manifest.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<IgnoreReason>))]
internal enum IgnoreReason
{
    /// <summary>The name is not that of a chunk.</summary>
    NotAChunk,

    /// <summary>A symbolic link, which was not followed.</summary>
    SymbolicLink,

    /// <summary>A folder, which was not read.</summary>
    Folder,

    /// <summary>The file is empty.</summary>
    Empty,

    /// <summary>
    /// The file was not read. It is far larger than a recorder writes it, or with it the files are more than the session can have recorded. A journal
    /// may have been read in part.
    /// </summary>
    TooBig,

    /// <summary>The file has no complete page of audio.</summary>
    Unreadable,

    /// <summary>The pages are complete, but FFmpeg cannot decode the packets in them.</summary>
    Undecodable,

    /// <summary>Another chunk holds the same audio.</summary>
    Doubled,

    /// <summary>The tags name another session.</summary>
    OtherSession,

    /// <summary>Further entries, too many to name.</summary>
    NotListed,

    /// <summary>The chunk ends later than the session can have lasted.</summary>
    TooLong,
}
