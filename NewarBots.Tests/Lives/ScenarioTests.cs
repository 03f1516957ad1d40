using NewarBots.Contract;
using NewarBots.Manager.Rehearsing;

namespace NewarBots.Tests.Lives;

/// <summary>Every scenario that the rehearsal offers, with the end that its page promises.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class ScenarioTests(RecordingHost host)
{
    public static TheoryData<string> Scenarios { get; } = [.. NamedScenario.All.Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task A_rehearsal_ends_as_its_page_says(string name)
    {
        var scenario = NamedScenario.All.Single(one => one.Name == name);
        var leave = scenario.Leave is var (condition, seconds) ? new Dictionary<string, int> { [condition] = seconds } : [];

        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal($"scenario={name}"), leave, userId: "scenarios");
        var bot = await host.Manager.UntilAsync(id, TimeSpan.FromSeconds(180), WireWord.Of(scenario.Status));

        Assert.Equal(WireWord.Of(scenario.Reason), (string?)bot["reason"]);
        Assert.Equal(scenario.Status is BotStatus.Completed, bot["recording"] is not null);
    }
}
