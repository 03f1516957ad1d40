using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class OtherRecordersTests
{
    private readonly OtherRecorders _recorders = new(SelectorPack.Embedded, botName: "Notes bot", isSignedIn: false, new());

    [Theory]
    [InlineData("Otter.ai")]
    [InlineData("Fireflies.ai Notetaker Anna")]
    [InlineData("Anna's Note Taker")]
    [InlineData("NewarBots Recorder")]
    public void Names_of_recorders_count_as_recorders(string name) => Assert.Equal(1, CountIn(_recorders, 3, ["Anna", name]));

    [Theory]
    [InlineData("Anna Abbot")]
    [InlineData("Gongora")]
    [InlineData("Vexana")]
    [InlineData("Gong Li")]
    [InlineData("Wei Gong")]
    public void Names_of_people_do_not(string name) => Assert.Equal(0, CountIn(_recorders, 2, [name]));

    [Fact]
    public void This_recorder_is_not_counted() => Assert.Equal(1, CountIn(_recorders, 3, ["Anna", "Notes bot", "Notes bot"]));

    [Fact]
    public void This_recorder_is_not_counted_under_its_account_name()
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded, botName: "Notes bot", isSignedIn: true, new());

        Assert.Equal(0, CountIn(signedIn, 2, ["Anna", "Acme Notetaker"]));
        Assert.Equal(1, CountIn(signedIn, 3, ["Anna", "Acme Notetaker", "Otter.ai"]));
        Assert.Equal(0, CountIn(signedIn, 1, ["Acme Notetaker"]));
    }

    [Fact]
    public void A_recorder_that_joins_after_everybody_was_shown_is_counted()
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded, botName: "Notes bot", isSignedIn: true, new());

        Assert.Equal(0, CountIn(signedIn, 2, ["Anna", "Acme"]));
        Assert.Equal(1, CountIn(signedIn, 3, ["Anna", "Acme", "Otter.ai"]));
        Assert.Equal(1, CountIn(signedIn, 2, ["Acme", "Otter.ai"]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(null)]
    public void A_recorder_may_be_this_one_while_not_everybody_is_shown(int? all)
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded, botName: "Notes bot", isSignedIn: true, new());

        Assert.Equal(0, CountIn(signedIn, all, ["Anna", "Acme"]));
        Assert.Equal(0, CountIn(signedIn, all, ["Anna", "Otter.ai"]));
    }

    [Fact]
    public void The_presentation_of_a_recorder_is_the_same_recorder()
    {
        (string, string)[] people = [("1", "Anna"), ("2", "Otter.ai"), ("3", "Otter.ai (Presentation)"), ("4", "Notes bot")];

        Assert.Equal((2, 1, true), _recorders.CountIn(people, total: 3));
    }

    [Theory]
    [InlineData("Otter.ai (Presentation)")]
    [InlineData("Otter.ai's presentation")]
    [InlineData("Otter.ai is presenting")]
    [InlineData("Otter.ai - Presentation")]
    [InlineData("Otter.ai, presentation")]
    [InlineData("Presentation by Otter.ai")]
    [InlineData("Presentation (Otter.ai)")]
    public void The_names_of_presentations_contain_their_owner(string name) =>
        Assert.Equal((1, 1, true), _recorders.CountIn([("1", "Otter.ai"), ("2", name), ("3", "Notes bot")], total: 2));

    [Fact]
    public void A_presentation_whose_owner_is_not_shown_stands_for_its_owner() =>
        Assert.Equal((1, 0, true), _recorders.CountIn([("1", "Anna's presentation"), ("2", "Notes bot")], total: 2));

    [Theory]
    [InlineData("NOTES BOT")]
    [InlineData("Notes bot (Guest)")]
    [InlineData("Notes b\u2026")]
    [InlineData("Notes bot (You)")]
    public void This_bot_is_not_somebody_else_under_a_changed_name(string name) =>
        Assert.Equal((0, 0, true), _recorders.CountIn([("1", name)], total: null));

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_lone_tile_with_this_bots_name_is_this_bot_and_the_count_tells_of_a_namesake(int? total)
    {
        var (named, recorders, isSelfShown) = new OtherRecorders(SelectorPack.Embedded, botName: "Ada", isSignedIn: false, new()).CountIn([("1", "Ada")], total);
        var view = PageView.Nothing with { NamedOthers = named, OtherRecorders = recorders, IsSelfShown = isSelfShown };
        if (total is not null)
            view = view with { Matches = [new("count.people", PageSign.ParticipantCount, Number: total)] };

        Assert.Equal((0, 0, true), (named, recorders, isSelfShown));
        Assert.Equal(total - 1, view.Others);
    }

    [Theory]
    [InlineData("Ada", "Ada", 1)]
    [InlineData("Ada", "Ada Lovelace", 0)]
    [InlineData("Anna's notes", "Anna's notes", 1)]
    [InlineData("Anna's notes of this meeting, the complete ones", "Anna's notes of this meeting", 1)]
    public void A_second_participant_with_exactly_this_bots_name_is_a_recorder(string botName, string name, int recorders) =>
        Assert.Equal(
            (1, recorders, true),
            new OtherRecorders(SelectorPack.Embedded, botName, isSignedIn: false, new()).CountIn([("1", botName), ("2", name)], total: null));

    [Fact]
    public void Other_bots_of_the_manager_are_recorders_whatever_their_names()
    {
        var companions = new MeetingCompanions();
        var recorders = new OtherRecorders(SelectorPack.Embedded, botName: "Anna's notes", isSignedIn: false, companions);
        (string, string)[] people = [("1", "Anna's notes"), ("2", "Bert's notes"), ("3", "Carla")];
        Assert.Equal((2, 0, true), recorders.CountIn(people, total: 3));

        companions.Names = ["Bert's notes"];
        Assert.Equal((2, 1, true), recorders.CountIn(people, total: 3));

        companions.Names = [];
        Assert.Equal((2, 0, true), recorders.CountIn(people, total: 3));
    }

    [Fact]
    public void A_person_with_the_name_of_another_bot_is_somebody_beside_that_bot()
    {
        var recorders = new OtherRecorders(SelectorPack.Embedded, botName: "Anna's notes", isSignedIn: false, new() { Names = ["Carla"] });

        Assert.Equal((2, 1, true), recorders.CountIn([("1", "Anna's notes"), ("2", "Carla"), ("3", "Carla")], total: 3));
    }

    [Fact]
    public void This_bot_is_among_all_participants_under_whatever_name() =>
        Assert.Equal((1, 0, false), _recorders.CountIn([("1", "Anna"), ("2", "Guest 17")], total: 2));

    [Fact]
    public void Somebody_who_is_shown_twice_is_counted_once() =>
        Assert.Equal((1, 0, true), _recorders.CountIn([("1", "Anna"), ("1", "Anna"), ("2", "You")], total: 2));

    [Fact]
    public void This_bot_is_not_somebody_else_if_the_page_cuts_off_a_long_name()
    {
        var longName = string.Join(' ', Enumerable.Repeat("minutes", 12));

        Assert.Equal((0, 0, true), new OtherRecorders(SelectorPack.Embedded, longName, isSignedIn: false, new()).CountIn([("1", longName[..80])], total: null));
        Assert.Equal((1, 0, false), new OtherRecorders(SelectorPack.Embedded, longName, isSignedIn: false, new()).CountIn([("1", "minutes")], total: null));
    }

    private static int CountIn(OtherRecorders recorders, int? total, string[] names) =>
        recorders.CountIn([.. names.Select((name, i) => ($"{i}", name))], total).Recorders;
}
