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
}
