using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Recordings;

public sealed class SpeakersTests
{
    [Fact]
    public void Adjacent_pieces_become_one_segment_with_their_mean_power_as_level()
    {
        var speaker = Assert.Single(Speakers.Of(
            [new("track:1", 20, 25, -30), new("track:1", 0, 10, -20), new("track:1", 10, 20, -20), new("track:1", 26, 27, -40)], durationSeconds: 60));

        Assert.Equal(("track:1", null, 26), (speaker.Source, speaker.Name, speaker.SpokenSeconds));
        Assert.Equal([new SpeakerSegment(0, 25, -21), new(26, 27, -40)], speaker.Segments);
    }

    [Fact]
    public void A_single_name_applies_to_the_whole_source_and_two_names_make_two_speakers()
    {
        var speakers = Speakers.Of(
            [new("track:1", 0, 1, -20), new("track:1", 2, 3, -20, "Ada"), new("csrc:7", 4, 5, -20, "Ada"), new("csrc:7", 6, 7, -20, "Grace")],
            durationSeconds: 60);

        Assert.Equal(
            [("track:1", "Ada", 2), ("csrc:7", "Ada", 1), ("csrc:7", "Grace", 1)],
            speakers.Select(speaker => (speaker.Source, speaker.Name, speaker.SpokenSeconds)));
    }

    [Fact]
    public void Speech_after_the_end_of_the_recording_is_cut_off()
    {
        var speakers = Speakers.Of([new("track:1", 8, 12, -20), new("track:2", 11, 12, -20)], durationSeconds: 10);

        Assert.Equal([new SpeakerSegment(8, 10, -20)], Assert.Single(speakers).Segments);
    }

    [Fact]
    public void A_forged_journal_with_150000_speakers_gives_no_more_than_a_recorder_can_report()
    {
        var id = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001");
        var lines = Enumerable.Range(0, 150_000).SelectMany(number => new[]
        {
            Journal.Format(new(Speech: new($"track:{number}", number * 1e-4, number * 1e-4 + 1e-5, -20, $"Name {number}"))),
            Journal.Format(new(Gap: new(number * 1e-4, number * 1e-4 + 1e-5, "capture_stalled"))),
        });

        var journal = SessionJournal.Read(id, lines);
        var speakers = Speakers.Limit(Speakers.Of(journal.Speeches, durationSeconds: 60), durationSeconds: 60, out var isCut);

        Assert.True(journal.IsCut);
        Assert.Equal((SessionJournal.MaxSpeeches, SessionJournal.MaxGaps), (journal.Speeches.Count, journal.Gaps.Count));
        Assert.True(isCut);
        Assert.Equal(Speakers.Most, speakers.Count);
    }

    [Fact]
    public void A_forged_speaker_with_very_many_segments_gets_no_more_than_the_time_allows()
    {
        var speakers = Speakers.Limit(
            Speakers.Of(Enumerable.Range(0, 100_000).Select(number => new Speech("track:1", number * 1e-1, number * 1e-1 + 0.05, -20)), durationSeconds: 3600),
            durationSeconds: 3600,
            out var isCut);

        Assert.True(isCut);
        Assert.Equal(1000 + 5400, Assert.Single(speakers).Segments.Count);
        Assert.Equal(320, speakers[0].SpokenSeconds, tolerance: 1);
    }
}
