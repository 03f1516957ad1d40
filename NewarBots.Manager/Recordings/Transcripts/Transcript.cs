using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>The text of a recording, as the JSON file beside it. Times are seconds on the recording's timeline.</summary>
internal sealed record Transcript
{
    public const int CurrentVersion = 1;

    /// <summary>Also for the lines of <see cref="PieceResults"/>.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };

    public int Version { get; init; } = CurrentVersion;

    public required SessionId SessionId { get; init; }

    /// <summary>The model of the speech server.</summary>
    public required string Model { get; init; }

    /// <summary>The language of most of the speech, as the speech server reported it.</summary>
    public string? Language { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Length of the recording.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>In order of their start.</summary>
    public required IReadOnlyList<TranscriptSegment> Segments { get; init; }

    /// <summary>Speech without text, because the speech server rejected it.</summary>
    public IReadOnlyList<MissingSpeech> Missing { get; init; } = [];

    /// <summary>Problems that made the transcript less exact, each as one sentence.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <returns><see langword="null"/> if the file is missing, or is no transcript of this version.</returns>
    /// <exception cref="IOException">The file exists, but cannot be read.</exception>
    public static Transcript? TryRead(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize<Transcript>(file, Json) is { Version: CurrentVersion } transcript ? transcript : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    public void Write(Stream target) => JsonSerializer.Serialize(target, this, Json);
}

/// <summary>A stretch of one speaker's text.</summary>
/// <param name="Start">Its start in seconds.</param>
/// <param name="End">Its end in seconds.</param>
/// <param name="Text">As the speech server wrote it, in one line. May contain any characters.</param>
internal sealed record TranscriptSegment(double Start, double End, string Text)
{
    /// <summary>Name of the speaker, if the meeting page showed it.</summary>
    public string? Speaker { get; init; }

    /// <summary>The speaker's source in the manifest, for example <c>track:1</c>; absent if the manifest has no speaker at this time.</summary>
    public string? Source { get; init; }

    /// <summary>How certain the speech server is, from 0 to 1.</summary>
    public double? Confidence { get; init; }

    /// <summary>Others who spoke at the same time, by name or else by source.</summary>
    public IReadOnlyList<string>? Overlaps { get; init; }

    /// <summary>Present if the speech server reports the times of words.</summary>
    public IReadOnlyList<TranscriptWord>? Words { get; init; }

    /// <summary>The speaker in texts for people.</summary>
    [JsonIgnore]
    public string Label => Speaker ?? Source ?? "Unknown";
}

/// <summary>A stretch of speech without text.</summary>
/// <param name="Start">Its start in seconds.</param>
/// <param name="End">Its end in seconds.</param>
/// <param name="Speaker">Name of the speaker, if the meeting page showed it.</param>
/// <param name="Source">The speaker's source in the manifest.</param>
/// <param name="Error">Why the speech server rejected it.</param>
internal sealed record MissingSpeech(double Start, double End, string? Speaker, string? Source, string Error);

/// <param name="Start">Its start in seconds.</param>
/// <param name="End">Its end in seconds.</param>
/// <param name="Text">The word.</param>
internal sealed record TranscriptWord(double Start, double End, string Text);
