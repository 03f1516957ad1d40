using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// One line of the journal that the recorder writes beside its chunks: a JSON object, flushed when written. If Redis and the container are
/// gone, the journal is the only record of a bot. Readers skip a line that a crash cut off.
/// </summary>
/// <param name="Status">A status message as published.</param>
/// <param name="Gap">A stretch of missing audio, or one part of a long stretch. It takes up its time on the timeline.</param>
/// <param name="Speech">A stretch of speech.</param>
/// <param name="Disagreement">A stretch in which the page's count and the audio disagreed, or one part of a long stretch.</param>
/// <param name="Presence">A participant appeared on the page, or is gone.</param>
/// <param name="Speaking">Somebody has begun or ceased to speak.</param>
public sealed record JournalLine(
    StatusMessage? Status = null, Gap? Gap = null, Speech? Speech = null, Disagreement? Disagreement = null, Presence? Presence = null, Speaking? Speaking = null)
{
    /// <summary>Readers skip other lines: a taken-over recorder can write anything.</summary>
    [JsonIgnore]
    public bool IsPlausible => this
        is not ({ Status.IsPlausible: false } or { Gap.IsPlausible: false } or { Speech.IsPlausible: false } or { Disagreement.IsPlausible: false }
            or { Presence.IsPlausible: false } or { Speaking.IsPlausible: false });
}

/// <summary>The page began to show a participant, or shows everybody and no longer this participant.</summary>
/// <param name="Name">The name that the page shows.</param>
/// <param name="At">Unix milliseconds by the recorder's clock: when the page first showed the participant, or last did.</param>
/// <param name="IsPresent">Whether the participant is in the call from then on.</param>
public sealed record Presence(string Name, long At, bool IsPresent)
{
    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible => Name is { Length: > 0 and <= Speech.MaxNameLength } && Journal.IsUnixTime(At);
}

/// <summary>A source began or ceased to speak. Pauses of two seconds are not reported.</summary>
/// <param name="Source">As in <see cref="Speech"/>.</param>
/// <param name="At">Unix milliseconds by the recorder's clock: when the first turn began, or the last one ended.</param>
/// <param name="IsSpeaking">Whether the source speaks from then on.</param>
/// <param name="Name">As in <see cref="Speech"/>.</param>
public sealed record Speaking(string Source, long At, bool IsSpeaking, string? Name = null)
{
    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible => Source is { Length: > 0 and <= Journal.MaxWordLength } && Journal.IsUnixTime(At);
}

/// <summary>A stretch of the timeline in which somebody could be heard although the page counted nobody else.</summary>
/// <param name="StartSeconds">Seconds from the start of the recording.</param>
/// <param name="EndSeconds">Seconds from the start of the recording.</param>
/// <param name="Participants">The participants that the page counted, including the bot.</param>
public sealed record Disagreement(double StartSeconds, double EndSeconds, int Participants)
{
    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible =>
        Journal.IsTime(StartSeconds) && Journal.IsTime(EndSeconds) && Participants is >= 0 and <= StatusMessage.MaxParticipants;
}

/// <summary>A stretch of the timeline in which one source spoke, or one part of a long stretch.</summary>
/// <param name="Source"><c>csrc:</c> and the contributing source's number if a server mixes the audio, else <c>track:</c> and the track's number.</param>
/// <param name="StartSeconds">Seconds from the start of the recording.</param>
/// <param name="EndSeconds">Seconds from the start of the recording.</param>
/// <param name="Level">Mean loudness in dBFS (RMS).</param>
/// <param name="Name">Name of the only participant that the page marked as speaking, if any.</param>
public sealed record Speech(string Source, double StartSeconds, double EndSeconds, int Level, string? Name = null)
{
    /// <summary>Characters of a name.</summary>
    public const int MaxNameLength = 500;

    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible =>
        Source is { Length: > 0 and <= Journal.MaxWordLength } && Journal.IsTime(StartSeconds) && Journal.IsTime(EndSeconds) && Journal.IsLevel(Level);
}

/// <summary>A stretch of the timeline in which nothing was captured, or not everything that was received.</summary>
/// <param name="StartSeconds">Seconds from the start of the recording.</param>
/// <param name="EndSeconds">Seconds from the start of the recording.</param>
/// <param name="Cause">One of <see cref="GapCause"/>.</param>
public sealed record Gap(double StartSeconds, double EndSeconds, string Cause)
{
    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible => Journal.IsTime(StartSeconds) && Journal.IsTime(EndSeconds) && Cause is { Length: > 0 and <= Journal.MaxWordLength };
}

public static class Journal
{
    public const string FileName = "journal.jsonl";

    /// <summary>Characters of a cause or a source.</summary>
    internal const int MaxWordLength = 64;

    /// <summary>A recording lasts at most a day; clocks and the end of the meeting add minutes.</summary>
    private const double MaxSeconds = 2 * 24 * 60 * 60;

    public static string Format(JournalLine line) => JsonSerializer.Serialize(line, ContractJson.Default.JournalLine);

    /// <summary>Parses a line. Texts for people are cleaned, because the page that the recorder showed may have chosen them.</summary>
    /// <returns><see langword="null"/> for a truncated, damaged, empty or implausible line.</returns>
    public static JournalLine? TryParse(string line)
    {
        try
        {
            var read = JsonSerializer.Deserialize(line, ContractJson.Default.JournalLine);
            if (read is not { IsPlausible: true })
                return null;
            return read with
            {
                Status = read.Status is { Detail: not null } status ? status with { Detail = DisplayText.Clean(status.Detail) } : read.Status,
                Gap = read.Gap is { } gap ? gap with { Cause = DisplayText.Clean(gap.Cause)! } : null,
                Speech = read.Speech is { } speech ? Clean(speech) : null,
                Presence = read.Presence is { } presence && DisplayText.Clean(presence.Name) is { Length: > 0 } present ? presence with { Name = present } : null,
                Speaking = read.Speaking is { } speaking ? speaking with { Source = DisplayText.Clean(speaking.Source)!, Name = CleanName(speaking.Name) } : null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Speech Clean(Speech speech) => speech with
    {
        Source = DisplayText.Clean(speech.Source)!,
        Name = CleanName(speech.Name),
    };

    /// <summary>A page can show a name of any length. The rest of the line is still true.</summary>
    private static string? CleanName(string? name) => name is { Length: <= Speech.MaxNameLength } ? DisplayText.Clean(name) : null;

    internal static bool IsUnixTime(long milliseconds) => milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    internal static bool IsTime(double seconds) => seconds is >= 0 and <= MaxSeconds;

    /// <summary>In dBFS, or -127 for digital silence.</summary>
    internal static bool IsLevel(int level) => level is >= -127 and <= 100;
}

/// <summary>JSON shared by both processes and stored on disk: camelCase, without null properties.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(JournalLine))]
[JsonSerializable(typeof(string[]))]
public sealed partial class ContractJson : JsonSerializerContext;
