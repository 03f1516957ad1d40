using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

public sealed class SpeakerListTests
{
    [Fact]
    public void Turns_of_a_name_are_added_up_over_its_sources()
    {
        var speakers = SpeakerList.Of([Said("track:1", 0, 2, "Ana"), Said("track:2", 3, 4, "Ben"), Said("track:3", 5, 8.5, "Ana")]);

        Assert.Equal([new Speaker("Ana", "track:1", 5.5, 0, 8.5), new Speaker("Ben", "track:2", 1, 3, 4)], speakers);
    }

    [Fact]
    public void Source_that_gets_its_name_later_is_one_participant()
    {
        Assert.Equal(new Speaker("Ana", "track:1", 5, 0, 6), Assert.Single(SpeakerList.Of([Said("track:1", 0, 2), Said("track:1", 3, 6, "Ana")])));
        Assert.Equal(
            new Speaker("Ana", "track:1", 6, 0, 9),
            Assert.Single(SpeakerList.Of([Said("track:1", 0, 2, "Ana"), Said("track:2", 3, 5), Said("track:2", 7, 9, "Ana")])));
    }

    [Fact]
    public void Journal_that_is_read_again_adds_nothing()
    {
        Speech[] journal = [Said("track:1", 0, 2, "Ana"), Said("track:2", 1, 4), Said("track:1", 5, 6, "Ana")];

        Assert.Equal(SpeakerList.Of(journal), SpeakerList.Of([.. journal, .. journal]));
    }

    [Fact]
    public void Record_stays_small_whatever_names_the_page_shows()
    {
        var speakers = SpeakerList.Of(Enumerable.Range(0, 1000).Select(number => Said($"track:{number}", number, number + 1, $"{number} {new string('x', 400)}")));

        Assert.Equal(50, speakers.Count);
        Assert.All(speakers, speaker => Assert.Equal(64, speaker.Name!.Length));
    }

    [Fact]
    public void Bot_that_has_ended_hears_nobody_and_an_unchanged_one_stays_the_same()
    {
        var heard = BotLifecycle.Heard(SampleBots.In(BotStatus.Recording), Said("track:1", 0, 2, "Ana"));

        Assert.Equal("Ana", Assert.Single(heard.Speakers).Name);
        Assert.Same(heard, BotLifecycle.Heard(heard, Said("track:1", 0, 2, "Ana")));
        var ended = SampleBots.In(BotStatus.Completed);
        Assert.Same(ended, BotLifecycle.Heard(ended, Said("track:1", 0, 2, "Ana")));
    }

    private static Speech Said(string source, double from, double to, string? name = null) => new(source, from, to, Level: -20, name);
}
