using System.Text.Json;

namespace NewarBots.Contract;

/// <summary>
/// What the recorder notes beside its chunks, one JSON object a line, each line flushed when written: the last truth about
/// a bot when Redis and the container are gone. A line that was cut off by a crash is to be skipped.
/// </summary>
/// <param name="Status">A status message, as it was (or will be) sent.</param>
/// <param name="Gap">A hole in what was heard, filled with silence so that nothing behind it moves.</param>
public sealed record JournalLine(StatusMessage? Status = null, Gap? Gap = null);

/// <summary>A stretch of the time line in which nothing could be captured.</summary>
/// <param name="StartSeconds">From here, in seconds from the start of the recording.</param>
/// <param name="EndSeconds">To here.</param>
/// <param name="Cause">One machine word, for example <c>capture_stalled</c> or <c>browser_restarted</c>.</param>
public sealed record Gap(double StartSeconds, double EndSeconds, string Cause);

public static class Journal
{
    public const string FileName = "journal.jsonl";

    public static string Format(JournalLine line) => JsonSerializer.Serialize(line, ContractJson.Default.JournalLine);

    /// <returns><see langword="null"/> for a line that is cut off, damaged or empty.</returns>
    public static JournalLine? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ContractJson.Default.JournalLine);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
