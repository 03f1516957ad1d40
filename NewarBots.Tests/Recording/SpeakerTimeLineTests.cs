using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class SpeakerTimeLineTests
{
    private readonly SpeakerTimeLine _speakers = new();
    private readonly List<Speech> _told = [];

    [Fact]
    public void A_voice_is_a_stretch_from_its_first_loud_block_to_its_last()
    {
        Live(0, 1, []);
        Live(1, 3, [1]);
        Live(3, 5, []);

        Assert.Equal([new Speech("track:1", 1, 3, -20)], _told);
    }

    [Fact]
    public void A_breath_ends_nothing_and_half_a_second_does()
    {
        Live(0, 1, [1]);
        Live(1.4, 2, [1]);
        Live(2.6, 3, [1]);

        Assert.Equal([new Speech("track:1", 0, 2, -20), new("track:1", 2.6, 3, -20)], Complete());
    }

    [Fact]
    public void What_is_quieter_than_speech_is_nobodys()
    {
        _told.AddRange(_speakers.Advance([new(Track: 1, FirstPacket: 0, Level: -51), new(Track: 1, 5, -50)], packets: 100));

        Assert.Equal([new Speech("track:1", 0.1, 0.2, -50)], _told);
    }

    [Fact]
    public void A_stretch_that_lasts_is_told_every_ten_seconds()
    {
        Live(0, 25, [1]);

        Assert.Equal([new Speech("track:1", 0, 10, -20), new("track:1", 10, 20, -20)], _told);
        Assert.Equal(new Speech("track:1", 20, 25, -20), Complete()[^1]);
    }

    [Fact]
    public void Two_at_once_are_two_stretches()
    {
        Live(0, 2, [1]);
        Live(2, 4, [1, 2]);
        Live(4, 5, [2]);

        Assert.Equal([new Speech("track:1", 0, 4, -20), new("track:2", 2, 5, -20)], Complete());
    }

    [Fact]
    public void Where_a_server_mixes_the_contributing_source_is_the_speaker_and_a_change_of_it_a_new_stretch()
    {
        _told.AddRange(_speakers.Advance(
            Enumerable.Range(0, 10).Select(i => new Voice(Track: 1, i * 5, -20, Contributor: i < 6 ? 4711 : 815)), packets: 50));

        Assert.Equal([new Speech("csrc:4711", 0, 0.6, -20), new("csrc:815", 0.6, 1, -20)], Complete());
    }

    [Fact]
    public void The_one_name_that_is_marked_while_one_source_speaks_is_its_name()
    {
        Live(0, 3, [1], "Ada");
        Live(4, 6, [2], "Grace");

        Assert.Equal([("track:1", "Ada"), ("track:2", "Grace")], Complete().Select(speech => (speech.Source, speech.Name)));
    }

    [Fact]
    public void A_track_that_carries_another_person_later_has_that_persons_name_then()
    {
        Live(0, 3, [1], "Ada");
        Live(4, 6, [1], "Grace");

        Assert.Equal(["Ada", "Grace"], Complete().Select(speech => speech.Name));
    }

    [Fact]
    public void Of_two_that_always_speak_together_with_others_each_has_the_name_that_is_marked_whenever_it_speaks()
    {
        for (var i = 0; i < 6; i++)
        {
            Live(10 * i, (10 * i) + 2, [1, 2], "Ada", "Grace");
            Live((10 * i) + 3, (10 * i) + 5, [1, 3], "Ada", "Linus");
            Live((10 * i) + 6, (10 * i) + 8, [1], "Ada");
        }

        Assert.Equal("Ada", Complete().Last(speech => speech.Source == "track:1").Name);
        Assert.Null(_told.Last(speech => speech.Source == "track:2").Name);
    }

    [Fact]
    public void A_page_that_marks_nobody_gives_no_name()
    {
        Live(0, 3, [1]);

        Assert.Null(Assert.Single(Complete()).Name);
    }

    /// <summary>From one second to another these tracks are loud; the page is looked at each second.</summary>
    private void Live(double from, double to, int[] tracks, params string[] names)
    {
        for (var packet = (long)(from * 50); packet < (long)(to * 50); packet += VoiceBlock.Packets)
        {
            if (packet % 50 == 25)
                _speakers.See(names, packet);
            _told.AddRange(_speakers.Advance([.. tracks.Select(track => new Voice(track, packet, Level: -20))], packet + VoiceBlock.Packets));
        }
    }

    private List<Speech> Complete()
    {
        _told.AddRange(_speakers.Complete());
        return _told;
    }
}
