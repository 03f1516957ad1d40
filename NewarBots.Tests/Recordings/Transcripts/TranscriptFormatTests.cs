using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Recordings.Transcripts;

namespace NewarBots.Tests.Recordings.Transcripts;

public sealed class TranscriptFormatTests
{
    private static readonly Transcript Sample = new()
    {
        SessionId = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001"),
        Model = "whisper-1",
        CreatedAt = DateTimeOffset.UnixEpoch,
        DurationSeconds = 4000,
        Segments =
        [
            new(1.25, 2, "Good <b>morning</b> & --> {\\an8}") { Speaker = "Ada [admin]", Source = "track:1" },
            new(2.5, 3, "all_of_you.") { Speaker = "Ada [admin]", Source = "track:1" },
            new(3661.5, 3661.5, "Hi.") { Source = "track:2" },
            new(3662, 3663, "What?"),
        ],
    };

    [Fact]
    public void Text_has_one_line_for_each_paragraph() => Assert.Equal(
        """
        [00:00:01] Ada [admin]: Good <b>morning</b> & --> {\an8} all_of_you.
        [01:01:01] track:2: Hi.
        [01:01:02] Unknown: What?

        """.ReplaceLineEndings("\n"),
        TranscriptFormat.Text.Write(Sample));

    [Fact]
    public void SubRip_has_no_markup_of_the_speech() => Assert.StartsWith(
        "1\n00:00:01,250 --> 00:00:02,000\nAda [admin]: Good ‹b›morning‹/b› & --› (\\an8)\n\n2\n00:00:02,500 --> 00:00:03,000\nAda [admin]: all_of_you.\n\n3\n01:01:01,500 --> 01:01:01,600\n",
        TranscriptFormat.SubRip.Write(Sample), StringComparison.Ordinal);

    [Fact]
    public void WebVtt_escapes_text_and_names_speakers() => Assert.StartsWith(
        "WEBVTT\n\n00:00:01.250 --> 00:00:02.000\n<v Ada [admin]>Good &lt;b&gt;morning&lt;/b&gt; &amp; --&gt; {\\an8}</v>\n\n",
        TranscriptFormat.WebVtt.Write(Sample), StringComparison.Ordinal);

    [Fact]
    public void Markdown_escapes_text_and_names() => Assert.StartsWith(
        "# Transcript\n\n**Ada \\[admin\\]** (00:00:01): Good &lt;b\\>morning&lt;/b\\> &amp; --\\> {\\\\an8} all\\_of\\_you.\n\n**track:2** (01:01:01): Hi.\n\n",
        TranscriptFormat.Markdown.Write(Sample), StringComparison.Ordinal);

    [Fact]
    public void Stored_file_reads_back_as_it_was_written()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.Create(path))
                Sample.Write(file);

            Assert.Equal(Sample.Segments, Transcript.TryRead(path)!.Segments);
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            Assert.Equal("Ada [admin]", json.RootElement.GetProperty("segments")[0].GetProperty("speaker").GetString());
            Assert.False(json.RootElement.GetProperty("segments")[3].TryGetProperty("label", out _));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
