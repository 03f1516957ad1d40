using NewarBots.Contract;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class OtherRecordersTests
{
    private readonly OtherRecorders _recorders = new(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: false);

    [Theory]
    [InlineData("Otter.ai")]
    [InlineData("Fireflies.ai Notetaker Anna")]
    [InlineData("Anna's Note Taker")]
    [InlineData("NewarBots Recorder")]
    public void Recorders_are_known_by_their_names(string name) => Assert.Equal(1, _recorders.CountIn(["Anna", name], all: 3));

    [Theory]
    [InlineData("Anna Abbot")]
    [InlineData("Gongora")]
    [InlineData("Vexana")]
    [InlineData("Gong Li")]
    [InlineData("Wei Gong")]
    public void People_are_not(string name) => Assert.Equal(0, _recorders.CountIn([name], all: 2));

    [Fact]
    public void This_recorder_is_not_another_one() => Assert.Equal(1, _recorders.CountIn(["Anna", "Notes bot", "Notes bot"], all: 3));

    [Fact]
    public void Neither_is_it_where_the_call_shows_its_account()
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: true);

        Assert.Equal(0, signedIn.CountIn(["Anna", "Acme Notetaker"], all: 2));
        Assert.Equal(1, signedIn.CountIn(["Anna", "Acme Notetaker", "Otter.ai"], all: 3));
        Assert.Equal(0, signedIn.CountIn(["Acme Notetaker"], all: 1));
    }

    [Fact]
    public void Whoever_was_not_there_when_everybody_was_shown_is_not_this_one()
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: true);

        Assert.Equal(0, signedIn.CountIn(["Anna", "Acme"], all: 2));
        Assert.Equal(1, signedIn.CountIn(["Anna", "Acme", "Otter.ai"], all: 3));
        Assert.Equal(1, signedIn.CountIn(["Acme", "Otter.ai"], all: 2));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(null)]
    public void While_not_everybody_is_shown_it_may_be(int? all)
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: true);

        Assert.Equal(0, signedIn.CountIn(["Anna", "Acme"], all));
        Assert.Equal(0, signedIn.CountIn(["Anna", "Otter.ai"], all));
    }
}
