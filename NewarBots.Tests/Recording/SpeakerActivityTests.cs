using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class SpeakerActivityTests
{
    private readonly SpeakerActivity _activity = new();

    [Fact]
    public void Source_with_a_name_speaks_from_its_first_turn_until_two_seconds_of_quiet()
    {
        Assert.Empty(Observe(10, new OpenTurn("track:1", 0, 10, "Ana")));
        Assert.Equal([new SpeakerChange("track:1", 0, true, "Ana")], Observe(30, new OpenTurn("track:1", 0, 30, "Ana")));
        // A pause between two sentences.
        Assert.Empty(Observe(100));
        Assert.Empty(Observe(120, new OpenTurn("track:1", 110, 120, "Ana")));
        Assert.Empty(Observe(220));
        Assert.Equal([new SpeakerChange("track:1", 120, false, "Ana")], Observe(221));
    }

    [Fact]
    public void Source_without_a_name_is_reported_after_two_seconds_and_keeps_a_name_that_comes_later()
    {
        Assert.Empty(Observe(99, new OpenTurn("track:1", 0, 99, null)));
        Assert.Equal([new SpeakerChange("track:1", 0, true, null)], Observe(100, new OpenTurn("track:1", 0, 100, null)));
        Assert.Empty(Observe(150, new OpenTurn("track:1", 100, 150, "Ana")));
        Assert.Equal([new SpeakerChange("track:1", 150, false, "Ana")], Observe(251));
    }

    [Fact]
    public void Cough_is_not_reported()
    {
        Assert.Empty(Observe(20, new OpenTurn("track:1", 0, 20, "Ana")));
        Assert.Empty(Observe(500));
        Assert.Empty(_activity.Complete());
    }

    [Fact]
    public void Everybody_ceases_to_speak_when_the_recording_ends()
    {
        Observe(50, new OpenTurn("track:1", 0, 50, "Ana"), new OpenTurn("track:2", 10, 50, "Ben"));

        Assert.Equal([new SpeakerChange("track:1", 50, false, "Ana"), new SpeakerChange("track:2", 50, false, "Ben")], _activity.Complete());
        Assert.Empty(_activity.Complete());
    }

    private IReadOnlyList<SpeakerChange> Observe(long packets, params OpenTurn[] turns) => _activity.Observe(turns, packets);
}
