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
public sealed record JournalLine(StatusMessage? Status = null, Gap? Gap = null, Speech? Speech = null, Disagreement? Disagreement = null);

/// <summary>A stretch of the timeline in which somebody could be heard although the page counted nobody else.</summary>
/// <param name="StartSeconds">Seconds from the start of the recording.</param>
/// <param name="EndSeconds">Seconds from the start of the recording.</param>
/// <param name="Participants">The participants that the page counted, including the bot.</param>
public sealed record Disagreement(double StartSeconds, double EndSeconds, int Participants)
{
    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible => double.IsFinite(StartSeconds) && double.IsFinite(EndSeconds);
}

/// <summary>A stretch of the timeline in which one source spoke, or one part of a long stretch.</summary>
/// <param name="Source"><c>csrc:</c> and the contributing source's number if a server mixes the audio, else <c>track:</c> and the track's number.</param>
/// <param name="StartSeconds">Seconds from the start of the recording.</param>
/// <param name="EndSeconds">Seconds from the start of the recording.</param>
/// <param name="Level">Mean loudness in dBFS (RMS).</param>
/// <param name="Name">Name of the only participant that the page marked as speaking, if any.</param>
public sealed record Speech(string Source, double StartSeconds, double EndSeconds, int Level, string? Name = null);

/// <summary>A stretch of the timeline in which nothing was captured, or not everything that was received.</summary>
/// <param name="StartSeconds">Seconds from the start of the recording.</param>
/// <param name="EndSeconds">Seconds from the start of the recording.</param>
/// <param name="Cause">One of <see cref="GapCause"/>.</param>
public sealed record Gap(double StartSeconds, double EndSeconds, string Cause)
{
    /// <inheritdoc cref="StatusMessage.IsPlausible"/>
    [JsonIgnore]
    public bool IsPlausible => double.IsFinite(StartSeconds) && double.IsFinite(EndSeconds);
}

public static class Journal
{
    public const string FileName = "journal.jsonl";

    public static string Format(JournalLine line) => JsonSerializer.Serialize(line, ContractJson.Default.JournalLine);

    /// <returns><see langword="null"/> for a truncated, damaged, empty or implausible line.</returns>
    public static JournalLine? TryParse(string line)
    {
        try
        {
            var read = JsonSerializer.Deserialize(line, ContractJson.Default.JournalLine);
            return read is { Status.IsPlausible: false } or { Gap.IsPlausible: false } or { Disagreement.IsPlausible: false } ? null : read;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>JSON shared by both processes and stored on disk: camelCase, without null properties.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(JournalLine))]
public sealed partial class ContractJson : JsonSerializerContext;
