using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// What the recorder notes beside its chunks, one JSON object a line, each line flushed when written: the last truth about
/// a bot when Redis and the container are gone. A line that was cut off by a crash is to be skipped.
/// </summary>
/// <param name="Status">A status message, as it was (or will be) sent.</param>
/// <param name="Gap">A hole in what was heard, or a piece of one that lasted; nothing behind it moves.</param>
/// <param name="Speech">Somebody spoke.</param>
public sealed record JournalLine(StatusMessage? Status = null, Gap? Gap = null, Speech? Speech = null);

/// <summary>A stretch of the time line in which one source spoke, or a piece of a long one.</summary>
/// <param name="Source"><c>csrc:</c> and the contributing source's number where a server mixes, else <c>track:</c> and the track's.</param>
/// <param name="StartSeconds">From here, in seconds from the start of the recording.</param>
/// <param name="EndSeconds">To here.</param>
/// <param name="Level">Mean loudness in dBFS (RMS).</param>
/// <param name="Name">What the page called whom it marked as speaking, where that was clear.</param>
public sealed record Speech(string Source, double StartSeconds, double EndSeconds, int Level, string? Name = null);

/// <summary>A stretch of the time line in which nothing could be captured, or not everything that was received.</summary>
/// <param name="StartSeconds">From here, in seconds from the start of the recording.</param>
/// <param name="EndSeconds">To here.</param>
/// <param name="Cause">One machine word, for example <c>capture_stalled</c> or <c>browser_restarted</c>.</param>
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

    /// <returns><see langword="null"/> for a line that is cut off, damaged, empty or impossible.</returns>
    public static JournalLine? TryParse(string line)
    {
        try
        {
            var read = JsonSerializer.Deserialize(line, ContractJson.Default.JournalLine);
            return read is { Status.IsPlausible: false } or { Gap.IsPlausible: false } ? null : read;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
