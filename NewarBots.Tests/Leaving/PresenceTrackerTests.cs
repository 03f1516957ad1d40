using NewarBots.Contract;
using NewarBots.Recorder.Leaving;

namespace NewarBots.Tests.Leaving;

public sealed class PresenceTrackerTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly PresenceTracker _presence = new();

    [Fact]
    public void Participants_join_when_they_are_first_shown_and_have_left_when_they_were_last_shown()
    {
        Assert.Equal([Joined("Ana", 0), Joined("Ben", 0)], See(0, "Ana", "Ben"));
        Assert.Empty(See(1, "Ana", "Ben"));
        Assert.Empty(See(2, "Ana"));
        Assert.Empty(See(6, "Ana"));
        Assert.Equal([new Presence("Ben", At(1), IsPresent: false)], See(7, "Ana"));
        Assert.Equal([Joined("Ben", 8)], See(8, "Ana", "Ben"));
    }

    [Fact]
    public void Page_that_rearranges_its_tiles_makes_nobody_leave()
    {
        See(0, "Ana", "Ben");
        See(1, "Ana");
        Assert.Empty(See(5, "Ana", "Ben"));
        Assert.Empty(See(6, "Ana"));
        Assert.Empty(See(10, "Ana"));
    }

    [Fact]
    public void Nobody_leaves_while_the_page_counts_more_than_it_shows()
    {
        See(0, "Ana", "Ben");
        for (var second = 1; second < 60; second++)
            Assert.Empty(_presence.Observe(["Ana"], isEverybodyShown: false, Noon.AddSeconds(second)));

        Assert.Empty(See(60, "Ana"));
        Assert.Equal([new Presence("Ben", At(0) + 1, IsPresent: false)], See(65, "Ana"));
    }

    [Fact]
    public void Page_with_endless_names_costs_a_limited_amount()
    {
        var changes = Enumerable.Range(0, 10).Sum(second => _presence.Observe([.. Enumerable.Range(0, 1000).Select(name => $"{second} {name}")], false, Noon.AddSeconds(second)).Count);

        Assert.Equal(100, changes);
        Assert.Empty(See(20, new string('x', Speech.MaxNameLength + 1)));
    }

    [Fact]
    public void Names_that_change_for_ever_come_to_an_end()
    {
        var changes = 0;
        for (var second = 0; second < 6000; second += 6)
            changes += See(second, [.. Enumerable.Range(0, 100).Select(number => $"{second} {number}")]).Count;

        Assert.InRange(changes, 5_000, 5_200);
    }

    private IReadOnlyList<Presence> See(int second, params string[] names) => _presence.Observe(names, isEverybodyShown: true, Noon.AddSeconds(second));

    private static Presence Joined(string name, int second) => new(name, At(second), IsPresent: true);

    private static long At(int second) => Noon.AddSeconds(second).ToUnixTimeMilliseconds();
}
