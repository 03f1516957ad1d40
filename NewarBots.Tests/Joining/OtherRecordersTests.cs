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
    public void Names_of_recorders_count_as_recorders(string name) => Assert.Equal(1, _recorders.CountIn(["Anna", name], total: 3));

    [Theory]
    [InlineData("Anna Abbot")]
    [InlineData("Gongora")]
    [InlineData("Vexana")]
    [InlineData("Gong Li")]
    [InlineData("Wei Gong")]
    public void Names_of_people_do_not(string name) => Assert.Equal(0, _recorders.CountIn([name], total: 2));

    [Fact]
    public void This_recorder_is_not_counted() => Assert.Equal(1, _recorders.CountIn(["Anna", "Notes bot", "Notes bot"], total: 3));

    [Fact]
    public void This_recorder_is_not_counted_under_its_account_name()
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: true);

        Assert.Equal(0, signedIn.CountIn(["Anna", "Acme Notetaker"], total: 2));
        Assert.Equal(1, signedIn.CountIn(["Anna", "Acme Notetaker", "Otter.ai"], total: 3));
        Assert.Equal(0, signedIn.CountIn(["Acme Notetaker"], total: 1));
    }

    [Fact]
    public void A_recorder_that_joins_after_everybody_was_shown_is_counted()
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: true);

        Assert.Equal(0, signedIn.CountIn(["Anna", "Acme"], total: 2));
        Assert.Equal(1, signedIn.CountIn(["Anna", "Acme", "Otter.ai"], total: 3));
        Assert.Equal(1, signedIn.CountIn(["Acme", "Otter.ai"], total: 2));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(null)]
    public void A_recorder_may_be_this_one_while_not_everybody_is_shown(int? all)
    {
        var signedIn = new OtherRecorders(SelectorPack.Embedded.Recorders, botName: "Notes bot", isSignedIn: true);

        Assert.Equal(0, signedIn.CountIn(["Anna", "Acme"], all));
        Assert.Equal(0, signedIn.CountIn(["Anna", "Otter.ai"], all));
    }
}
