using System.Globalization;
using System.Text;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>A format of the API. Text from the speech server and names from the meeting stay text in each: none of it becomes markup.</summary>
/// <param name="Name">Also the file extension.</param>
/// <param name="ContentType">Media type.</param>
internal sealed record TranscriptFormat(string Name, string ContentType)
{
    /// <summary>Two segments of a speaker that are closer together than this are one paragraph (s).</summary>
    private const double ParagraphPause = 2;

    /// <summary>The format of the stored file.</summary>
    public static TranscriptFormat Json { get; } = new("json", "application/json");

    public static TranscriptFormat Text { get; } = new("txt", "text/plain");

    public static TranscriptFormat SubRip { get; } = new("srt", "application/x-subrip");

    public static TranscriptFormat WebVtt { get; } = new("vtt", "text/vtt");

    public static TranscriptFormat Markdown { get; } = new("md", "text/markdown");

    public static IReadOnlyList<TranscriptFormat> All { get; } = [Json, Text, SubRip, WebVtt, Markdown];

    public static TranscriptFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>Writes a transcript in this format, which is not <see cref="Json"/>.</summary>
    public string Write(Transcript transcript)
    {
        var text = new StringBuilder();
        switch (Name)
        {
            case "srt":
                foreach (var (index, segment) in transcript.Segments.Index())
                    Line($"{index + 1}\n{Time(segment.Start, ',')} --> {Time(End(segment), ',')}\n{SubRipText($"{segment.Label}: {segment.Text}")}\n");
                break;
            case "vtt":
                Line("WEBVTT\n");
                foreach (var segment in transcript.Segments)
                    Line($"{Time(segment.Start, '.')} --> {Time(End(segment), '.')}\n<v {WebVttText(segment.Label)}>{WebVttText(segment.Text)}</v>\n");
                break;
            case "md":
                Line("# Transcript\n");
                foreach (var paragraph in Paragraphs(transcript.Segments))
                    Line($"**{MarkdownText(paragraph.Label)}** ({Clock(paragraph.Start)}): {MarkdownText(paragraph.Text)}\n");
                break;
            default:
                foreach (var paragraph in Paragraphs(transcript.Segments))
                    Line($"[{Clock(paragraph.Start)}] {paragraph.Label}: {paragraph.Text}");
                break;
        }

        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');
    }

    private static IEnumerable<TranscriptSegment> Paragraphs(IEnumerable<TranscriptSegment> segments)
    {
        TranscriptSegment? last = null;
        foreach (var segment in segments)
        {
            if (last is not null && last.Label == segment.Label && segment.Start - last.End < ParagraphPause)
            {
                last = last with { End = Math.Max(last.End, segment.End), Text = $"{last.Text} {segment.Text}" };
                continue;
            }

            if (last is not null)
                yield return last;
            last = segment;
        }

        if (last is not null)
            yield return last;
    }

    /// <summary>Players drop cues without a duration.</summary>
    private static double End(TranscriptSegment segment) => Math.Max(segment.End, segment.Start + 0.1);

    private static string Time(double seconds, char separator)
    {
        var milliseconds = (long)Math.Round(seconds * 1000);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{milliseconds / 3_600_000:00}:{milliseconds / 60_000 % 60:00}:{milliseconds / 1000 % 60:00}{separator}{milliseconds % 1000:000}");
    }

    private static string Clock(double seconds) => Time(Math.Floor(seconds), '.')[..8];

    /// <summary>SubRip has no escapes. Players take <c>&lt;i&gt;</c> and <c>{\an8}</c> as markup.</summary>
    private static string SubRipText(string text) => text.Replace('<', '‹').Replace('>', '›').Replace('{', '(').Replace('}', ')');

    private static string WebVttText(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);

    private static string MarkdownText(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (character is '<')
                escaped.Append("&lt;");
            else if (character is '&')
                escaped.Append("&amp;");
            else if (character is '\\' or '`' or '*' or '_' or '[' or ']' or '!' or '|' or '#' or '~' or '>')
                escaped.Append('\\').Append(character);
            else
                escaped.Append(character);
        }

        return escaped.ToString();
    }
}
