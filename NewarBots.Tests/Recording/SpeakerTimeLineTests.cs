using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class SpeakerTimeLineTests
{
    private readonly SpeakerTimeLine _speakers = new();
    private readonly List<Speech> _turns = [];

    [Fact]
    public void A_turn_lasts_from_the_first_loud_block_to_the_last()
    {
        Speak(0, 1, []);
        Speak(1, 3, [1]);
        Speak(3, 5, []);

        Assert.Equal([new Speech("track:1", 1, 3, -20)], _turns);
    }

    [Fact]
    public void A_breath_does_not_end_a_turn_but_half_a_second_does()
    {
        Speak(0, 1, [1]);
        Speak(1.4, 2, [1]);
        Speak(2.6, 3, [1]);

        Assert.Equal([new Speech("track:1", 0, 2, -20), new("track:1", 2.6, 3, -20)], Complete());
    }

    [Fact]
    public void Blocks_quieter_than_speech_do_not_count()
    {
        _turns.AddRange(_speakers.Advance([new(Track: 1, FirstPacket: 0, Level: -51), new(Track: 1, 5, -50)], packets: 100));

        Assert.Equal([new Speech("track:1", 0.1, 0.2, -50)], _turns);
    }

    /// <summary>The first buffer of a track is older than the recording.</summary>
    [Fact]
    public void A_turn_that_begins_before_the_recording_begins_at_its_start()
    {
        Voice[] voices = [new(Track: 1, FirstPacket: -9, Level: -20), new(1, -3, -20), new(1, 2, -20), new(Track: 2, FirstPacket: -5, Level: -20)];

        _turns.AddRange(_speakers.Advance(voices, packets: 100));

        Assert.Equal([new Speech("track:1", 0, 0.14, -20)], _turns);
    }

    [Fact]
    public void A_long_turn_is_reported_every_ten_seconds()
    {
        Speak(0, 25, [1]);

        Assert.Equal([new Speech("track:1", 0, 10, -20), new("track:1", 10, 20, -20)], _turns);
        Assert.Equal(new Speech("track:1", 20, 25, -20), Complete()[^1]);
    }

    [Fact]
    public void Simultaneous_speakers_have_separate_turns()
    {
        Speak(0, 2, [1]);
        Speak(2, 4, [1, 2]);
        Speak(4, 5, [2]);

        Assert.Equal([new Speech("track:1", 0, 4, -20), new("track:2", 2, 5, -20)], Complete());
    }

    [Fact]
    public void In_a_mixed_track_a_change_of_the_contributing_source_starts_a_turn()
    {
        _turns.AddRange(_speakers.Advance(
            Enumerable.Range(0, 10).Select(i => new Voice(Track: 1, i * 5, -20, Contributor: i < 6 ? 4711 : 815)), packets: 50));

        Assert.Equal([new Speech("csrc:4711", 0, 0.6, -20), new("csrc:815", 0.6, 1, -20)], Complete());
    }

    [Fact]
    public void A_turn_gets_the_name_marked_while_only_its_source_speaks()
    {
        Speak(0, 3, [1], "Ada");
        Speak(4, 6, [2], "Grace");

        Assert.Equal([("track:1", "Ada"), ("track:2", "Grace")], Complete().Select(speech => (speech.Source, speech.Name)));
    }

    [Fact]
    public void A_track_that_changes_person_changes_name()
    {
        Speak(0, 3, [1], "Ada");
        Speak(4, 6, [1], "Grace");

        Assert.Equal(["Ada", "Grace"], Complete().Select(speech => speech.Name));
    }

    [Fact]
    public void A_source_that_often_speaks_alone_is_named_even_in_overlapping_turns()
    {
        for (var i = 0; i < 6; i++)
        {
            Speak(10 * i, (10 * i) + 2, [1, 2], "Ada", "Grace");
            Speak((10 * i) + 3, (10 * i) + 5, [1, 3], "Ada", "Linus");
            Speak((10 * i) + 6, (10 * i) + 8, [1], "Ada");
        }

        Assert.Equal("Ada", Complete().Last(speech => speech.Source == "track:1").Name);
        Assert.Null(_turns.Last(speech => speech.Source == "track:2").Name);
    }

    [Fact]
    public void A_page_that_marks_nobody_leaves_turns_without_a_name()
    {
        Speak(0, 3, [1]);

        Assert.Null(Assert.Single(Complete()).Name);
    }

    /// <summary>The tracks are loud from one second to another. The page marks the names once a second.</summary>
    private void Speak(double from, double to, int[] tracks, params string[] names)
    {
        for (var packet = (long)(from * 50); packet < (long)(to * 50); packet += VoiceBlock.Packets)
        {
            if (packet % 50 == 25)
                _speakers.Mark(names, packet);
            _turns.AddRange(_speakers.Advance([.. tracks.Select(track => new Voice(track, packet, Level: -20))], packet + VoiceBlock.Packets));
        }
    }

    private List<Speech> Complete()
    {
        _turns.AddRange(_speakers.Complete());
        return _turns;
    }
}
