using NewarBots.Manager.Recordings.Transcripts;

namespace NewarBots.Tests.Recordings.Transcripts;

public sealed class TranscriptMergerTests
{
    /// <summary>Ada's turn from 10 to 20 s; the audio begins 0.3 s earlier.</summary>
    private static readonly SpeechPiece Piece = new(new(Track: null, 0, 60), new(10, 20))
    {
        Speaker = "Ada",
        Source = "csrc:1",
        Audio = new(485, 530),
        Keep = new(9.7, 20.3),
    };

    [Fact]
    public void Text_without_times_has_the_times_of_the_turn()
    {
        var segment = Assert.Single(Place("""{"text": " Good morning. "}"""));

        Assert.Equal((10, 20, "Good morning.", "Ada", "csrc:1"), (segment.Start, segment.End, segment.Text, segment.Speaker, segment.Source));
        Assert.Null(segment.Words);
    }

    [Fact]
    public void Times_of_segments_are_mapped_back_to_the_recording()
    {
        var segments = Place("""
            {"text": "One. Two.", "language": "en", "segments": [
              {"start": 0.3, "end": 2, "text": " One.", "avg_logprob": -0.2}, {"start": 4, "end": 30, "text": " Two.", "avg_logprob": -0.7}]}
            """);

        Assert.Equal([(10, 11.7, "One.", 0.82), (13.7, 20.3, "Two.", 0.5)], segments.Select(segment => (segment.Start, segment.End, segment.Text, segment.Confidence!.Value)));
    }

    [Fact]
    public void Words_of_the_answer_or_of_its_segments_give_exact_times()
    {
        const string Words = """[{"word": " One", "start": 0.5, "end": 0.9, "probability": 0.9}, {"word": " two.", "start": 1.1, "end": 1.5, "probability": 0.7}]""";
        string[] answers =
        [
            $$$"""{"text": "One two.", "segments": [{"start": 0, "end": 5, "text": " One two."}], "words": {{{Words}}} }""",
            $$$"""{"text": "One two.", "segments": [{"start": 0, "end": 5, "text": " One two.", "words": {{{Words}}} }]}""",
        ];

        foreach (var answer in answers)
        {
            var segment = Assert.Single(Place(answer));
            Assert.Equal((10.2, 11.2, "One two.", 0.8), (segment.Start, segment.End, segment.Text, segment.Confidence));
            Assert.Equal([new(10.2, 10.6, "One"), new(10.8, 11.2, "two.")], segment.Words);
        }
    }

    [Fact]
    public void Words_of_the_neighbour_in_the_context_are_left_out()
    {
        var cut = Piece with { Keep = new(10, 20) };

        var segment = Assert.Single(Place(
            """
            {"text": "you. Fine thanks. And", "segments": [{"start": 0, "end": 10.6, "text": "you. Fine thanks. And"}], "words": [
              {"word": "you.", "start": 0, "end": 0.2}, {"word": "Fine", "start": 0.4, "end": 0.8}, {"word": "thanks.", "start": 0.9, "end": 1.2}, {"word": "And", "start": 10.3, "end": 10.6}]}
            """,
            cut));

        Assert.Equal((10.1, 10.9, "Fine thanks."), (segment.Start, segment.End, segment.Text));
    }

    [Fact]
    public void Words_with_their_own_spaces_are_joined_as_the_server_wrote_them()
    {
        var cut = Piece with { Keep = new(9.9, 20) };

        var segment = Assert.Single(Place(
            """{"text": "x Ad a's", "words": [{"word": " x", "start": 0, "end": 0.1}, {"word": " Ada", "start": 0.4, "end": 0.5}, {"word": "'s", "start": 0.5, "end": 0.6}]}""", cut));

        Assert.Equal("Ada's", segment.Text);
    }

    [Fact]
    public void Segments_that_the_server_takes_for_silence_are_left_out()
    {
        Assert.Empty(Place("""{"text": "Thanks for watching!", "segments": [{"start": 0, "end": 5, "text": "Thanks for watching!", "no_speech_prob": 0.9, "avg_logprob": -1.5}]}"""));
        Assert.Empty(Place("""{"text": "  "}"""));
    }

    [Fact]
    public void Overlapping_speech_names_the_others_by_name_or_source()
    {
        var merged = TranscriptMerger.Merge(
            [new(10, 20, "b") { Speaker = "Ada", Source = "csrc:1" }, new(1, 2, "a") { Speaker = "Ben", Source = "csrc:2" }],
            [
                new("csrc:1", "Ada", 10, [new(10, 20, -20)]),
                new("csrc:9", "Ada", 1, [new(11, 12, -20)]),
                new("csrc:2", "Ben", 1, [new(1, 2, -20), new(12, 13, -20)]),
                new("csrc:3", null, 1, [new(19.5, 21, -20)]),
                new("csrc:4", "Cleo", 1, [new(19.9, 30, -20)]),
            ]);

        Assert.Equal(["a", "b"], merged.Select(segment => segment.Text));
        Assert.Null(merged[0].Overlaps);
        Assert.Equal(["Ben", "csrc:3"], merged[1].Overlaps);
    }

    private static IReadOnlyList<TranscriptSegment> Place(string json, SpeechPiece? piece = null) =>
        TranscriptMerger.Place(piece ?? Piece, SpeechAnswer.Parse(System.Text.Encoding.UTF8.GetBytes(json), (piece ?? Piece).AudioAt.Length));
}
