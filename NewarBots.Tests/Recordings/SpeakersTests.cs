using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Recordings;

public sealed class SpeakersTests
{
    [Fact]
    public void Pieces_of_one_stretch_are_one_segment_and_its_level_is_their_mean_power()
    {
        var speaker = Assert.Single(Speakers.Of(
            [new("track:1", 20, 25, -30), new("track:1", 0, 10, -20), new("track:1", 10, 20, -20), new("track:1", 26, 27, -40)], durationSeconds: 60));

        Assert.Equal(("track:1", null, 26), (speaker.Source, speaker.Name, speaker.SpokenSeconds));
        Assert.Equal([new SpeakerSegment(0, 25, -21), new(26, 27, -40)], speaker.Segments);
    }

    [Fact]
    public void The_only_name_of_a_source_is_its_name_from_the_start_and_two_names_are_two_speakers()
    {
        var speakers = Speakers.Of(
            [new("track:1", 0, 1, -20), new("track:1", 2, 3, -20, "Ada"), new("csrc:7", 4, 5, -20, "Ada"), new("csrc:7", 6, 7, -20, "Grace")],
            durationSeconds: 60);

        Assert.Equal(
            [("track:1", "Ada", 2), ("csrc:7", "Ada", 1), ("csrc:7", "Grace", 1)],
            speakers.Select(speaker => (speaker.Source, speaker.Name, speaker.SpokenSeconds)));
    }

    [Fact]
    public void Nobody_speaks_behind_the_recordings_end()
    {
        var speakers = Speakers.Of([new("track:1", 8, 12, -20), new("track:2", 11, 12, -20)], durationSeconds: 10);

        Assert.Equal([new SpeakerSegment(8, 10, -20)], Assert.Single(speakers).Segments);
    }
}
