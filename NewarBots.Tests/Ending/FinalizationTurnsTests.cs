using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Ending;

public sealed class FinalizationTurnsTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);

    private static readonly UserId Anna = UserId.Parse("anna");

    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _due = [];
    private readonly FinalizationTurns _turns;

    public FinalizationTurnsTests() => _turns = Turns(slots: 2);

    [Fact]
    public void As_many_bots_as_there_are_slots_work_at_once_and_the_others_follow_in_order()
    {
        var first = Begin("1")!;
        var second = Begin("2")!;
        Assert.Null(Begin("3"));
        Assert.Null(Begin("4"));

        second.Dispose();
        Assert.Equal(["3"], _due);
        // A bot that is not due goes on waiting.
        Assert.Null(Begin("4"));
        using var third = Begin("3");
        Assert.NotNull(third);
        first.Dispose();
        Assert.Equal(["3", "4"], _due);
    }

    [Fact]
    public async Task A_turn_ends_when_its_time_is_over_and_another_bot_waits()
    {
        var (long1, long2) = (Begin("1")!, Begin("2")!);
        _time.Advance(First);
        Assert.False(long1.IsInterrupted || long2.IsInterrupted);

        Assert.Null(Begin("3"));
        await Eventually.TrueAsync(() => long1.IsInterrupted);
        Assert.False(long2.IsInterrupted);
        Continue(long1);
        Assert.Equal(["3"], _due);
        using var third = Begin("3");
        Assert.NotNull(third);
    }

    [Fact]
    public async Task A_bot_with_little_work_never_waits_for_bots_with_much()
    {
        for (var i = 0; i < 5; i++)
            await InterruptAsync($"long{i}");

        using var longOne = Begin("long0");
        Assert.NotNull(longOne);
        Assert.Null(Begin("long1"));
        using var shortOne = Begin("short");
        Assert.NotNull(shortOne);
    }

    [Fact]
    public void A_bot_does_not_wait_for_all_those_of_another_user()
    {
        var ben = UserId.Parse("ben");
        var (first, second) = (Begin("anna1")!, Begin("anna2")!);
        foreach (var id in (string[])["anna3", "anna4", "anna5"])
            Assert.Null(Begin(id));
        Assert.Null(Begin("ben1", ben));
        Assert.Null(Begin("ben2", ben));

        first.Dispose();
        Assert.Equal(["ben1"], _due);
        using var his = Begin("ben1", ben)!;
        second.Dispose();
        // One of anna's has just ended and one of ben's runs: it is the turn of who waits longer.
        Assert.Equal(["ben1", "anna3"], _due);
    }

    [Fact]
    public void The_bot_with_the_least_expected_work_comes_first_within_and_among_users()
    {
        var (ben, cara) = (UserId.Parse("ben"), UserId.Parse("cara"));
        var (first, second) = (Begin("1")!, Begin("2")!);
        Assert.Null(Begin("much", ben, work: 6000));
        Assert.Null(Begin("more", cara, work: 600));
        Assert.Null(Begin("little", cara, work: 60));

        first.Dispose();
        Assert.Equal(["little"], _due);
        using var third = Begin("little", cara);
        Assert.NotNull(third);
        second.Dispose();

        // One of cara's runs, none of ben's.
        Assert.Equal(["little", "much"], _due);
    }

    [Fact]
    public async Task A_later_turn_is_twice_as_long()
    {
        await InterruptAsync("long");
        using var turn = Begin("long")!;
        Assert.Equal(1, turn.Number);
        using var other = Begin("other");
        Assert.Null(Begin("third"));

        _time.Advance(First);
        await Eventually.TrueAsync(() => other!.IsInterrupted);
        Assert.Null(Begin("fourth"));
        Assert.False(turn.IsInterrupted);
        _time.Advance(First);
        await Eventually.TrueAsync(() => turn.IsInterrupted);
    }

    [Fact]
    public void A_forgotten_bot_does_not_hold_up_the_next()
    {
        var (first, second) = (Begin("1")!, Begin("2")!);
        Assert.Null(Begin("3"));
        Assert.Null(Begin("4"));
        first.Dispose();
        Assert.Equal(["3"], _due);

        _turns.Forget(Id("3"));

        Assert.Equal(["3", "4"], _due);
        second.Dispose();
    }

    [Fact]
    public async Task A_suspended_bot_is_interrupted_and_gets_no_turn_until_the_end_of_its_suspension()
    {
        var turn = Begin("1")!;
        using (_turns.Suspend(Id("1")))
        {
            await Eventually.TrueAsync(() => turn.IsInterrupted);
            Continue(turn);
            Assert.Null(Begin("1"));
            Assert.Empty(_due);
        }

        Assert.Equal(["1"], _due);
        Assert.NotNull(Begin("1"));
    }

    [Fact]
    public async Task One_slot_is_shared_too()
    {
        var turns = Turns(slots: 1);
        var first = turns.TryBegin(Id("1"), Anna, First, work: 60)!;
        _time.Advance(First);
        Assert.Null(turns.TryBegin(Id("2"), Anna, First, work: 60));
        await Eventually.TrueAsync(() => first.IsInterrupted);
        Continue(first);
        turns.TryBegin(Id("2"), Anna, First, work: 60)!.Dispose();
        Assert.NotNull(turns.TryBegin(Id("1"), Anna, First, work: 60));
    }

    private FinalizationTurns Turns(int slots)
    {
        var turns = new FinalizationTurns(Options.Create(new FinalizingOptions { MaxConcurrent = slots }), _time);
        turns.Due = id => _due.Add(id.ToString());
        return turns;
    }

    private async Task InterruptAsync(string id)
    {
        var turns = Begin(id)!;
        var blocker = Begin("blocker");
        _time.Advance(First);
        Assert.Null(Begin("waits"));
        await Eventually.TrueAsync(() => turns.IsInterrupted);
        _turns.Forget(Id("waits"));
        Continue(turns);
        blocker?.Dispose();
    }

    private FinalizationTurn? Begin(string id, UserId? user = null, double work = 60) => _turns.TryBegin(Id(id), user ?? Anna, First, work);

    private static void Continue(FinalizationTurn turn)
    {
        turn.WillContinue = true;
        turn.Dispose();
    }

    private static SessionId Id(string id) => SessionId.Parse(id);
}
