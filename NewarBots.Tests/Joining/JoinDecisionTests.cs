using NewarBots.Contract;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class JoinDecisionTests
{
    private const string BotName = "Notes bot";
    private static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly JoinHistory Fresh = new(Now);

    [Fact]
    public void The_name_is_filled_in_before_anything_is_clicked() =>
        Assert.Equal("name.box", Target<JoinDecision.FillName>(Decide("name.box", "microphone.on", "join.ask")));

    [Fact]
    public void A_name_that_is_there_is_left_alone() =>
        Assert.Equal("join.ask", Target<JoinDecision.Click>(Decide(View() with
        {
            Matches = [Match("name.box") with { Value = BotName }, .. View("microphone.off", "camera.off", "join.ask").Matches],
        })));

    [Fact]
    public void A_signed_in_guest_has_no_name_to_give() =>
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide("microphone.off", "camera.off", "join.now")));

    [Theory]
    [InlineData("microphone.on", "join.now")]
    [InlineData("camera.on", "join.now")]
    [InlineData("dialog.got_it", "join.now")]
    [InlineData("dialog.without_devices", "microphone.on", "camera.on", "join.ask")]
    public void What_stands_before_joining_comes_first(params string[] entries) =>
        Assert.Equal(entries[0], Target<JoinDecision.Click>(Decide(entries)));

    [Fact]
    public void Nothing_is_joined_while_the_microphone_is_still_on()
    {
        var view = View("microphone.on", "join.now");
        var clicked = Fresh.WithAct(view.Matches[0], Now);

        Assert.IsType<JoinDecision.Wait>(Decide(view, clicked, Now.AddSeconds(1)));
        Assert.Equal("microphone.on", Target<JoinDecision.Click>(Decide(view, clicked, Now.AddSeconds(3))));
    }

    [Fact]
    public void A_control_that_never_answers_does_not_hold_up_the_join_for_ever()
    {
        var view = View("dialog.got_it", "microphone.off", "camera.off", "join.now");
        var tried = Enumerable.Range(0, 5).Aggregate(Fresh, (history, _) => history.WithAct(view.Matches[0], Now));

        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, tried, Now.AddSeconds(10))));
    }

    [Theory]
    [InlineData("microphone.on", "camera.off")]
    [InlineData("microphone.off", "camera.on")]
    public void A_device_that_cannot_be_turned_off_keeps_the_bot_out(params string[] devices)
    {
        var view = View([.. devices, "join.now"]);
        var on = view.Matches.Single(match => match.Entry.EndsWith(".on", StringComparison.Ordinal));
        var tried = Enumerable.Range(0, 5).Aggregate(Fresh.WithView(view, Now), (history, _) => history.WithAct(on, Now));

        Assert.IsType<JoinDecision.Wait>(Decide(view, tried, Now.AddSeconds(59)));
        Assert.Equal(EndReason.JoinFailed, Assert.IsType<JoinDecision.GiveUp>(Decide(view, tried, Now.AddSeconds(60))).Reason);
    }

    [Fact]
    public void Controls_for_devices_may_come_late_and_may_not_come_at_all()
    {
        var view = View("join.now");
        var history = Fresh.WithView(view, Now);

        Assert.IsType<JoinDecision.Wait>(Decide(view, history, Now.AddSeconds(3)));
        Assert.Equal("microphone.on", Target<JoinDecision.Click>(Decide(View("microphone.on", "camera.off", "join.now"), history, Now.AddSeconds(3))));
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, history, Now.AddSeconds(4))));
    }

    [Fact]
    public void A_button_behind_something_is_pressed_after_what_is_before_it_was_closed_or_did_not_go()
    {
        var covered = View("microphone.off", "camera.off") with
        {
            Matches = [.. View("microphone.off", "camera.off").Matches, Match("join.now") with { Place = new(1, 1, Free: false) }],
        };
        var closable = covered with { Matches = [.. covered.Matches, Match("obstacle.close")] };
        var closed = Enumerable.Range(0, 5).Aggregate(Fresh, (history, _) => history.WithAct(Match("obstacle.close"), Now));

        Assert.IsType<JoinDecision.Wait>(Decide(covered));
        Assert.Equal("obstacle.close", Target<JoinDecision.Click>(Decide(closable)));
        Assert.Equal("join.now", Target<JoinDecision.Press>(Decide(covered, Fresh, Now.AddSeconds(5))));
        Assert.Equal("join.now", Target<JoinDecision.Press>(Decide(closable, closed, Now.AddSeconds(5))));
    }

    [Fact]
    public void What_only_could_be_closed_is_left_alone() =>
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide("obstacle.close", "microphone.off", "camera.off", "join.now")));

    [Fact]
    public void A_control_that_went_away_and_came_back_is_another_one()
    {
        var view = View("microphone.off", "camera.off", "join.now");
        var tried = Enumerable.Range(0, 5).Aggregate(Fresh, (history, _) => history.WithAct(Match("join.now"), Now));

        Assert.IsType<JoinDecision.Wait>(Decide(view, tried, Now.AddSeconds(10)));
        var back = tried.WithView(View("getting_ready.text"), Now).WithView(view, Now);
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, back, Now)));
    }

    [Fact]
    public void A_page_that_goes_round_in_circles_is_given_up()
    {
        var (there, gone) = (View("microphone.off", "camera.off", "join.now"), View("getting_ready.text"));
        var tried = Enumerable.Range(0, 100).Aggregate(
            Fresh, (history, _) => history.WithView(there, Now).WithAct(Match("join.now"), Now).WithView(gone, Now));

        Assert.IsType<JoinDecision.GiveUp>(Decide(there, tried, Now.AddSeconds(60)));
    }

    [Theory]
    [InlineData("join.now", "leave.button", "microphone.off")]
    [InlineData("dialog.got_it", "leave.button")]
    public void Notices_in_the_call_are_answered(params string[] entries) =>
        Assert.Equal(entries[0], JoinDecision.NoticeIn(View(entries), Fresh, Now)?.Entry);

    [Theory]
    [InlineData("join.now", "microphone.off")]
    [InlineData("join.now", "name.box", "leave.button")]
    [InlineData("dialog.got_it", "waiting.asking", "leave.button")]
    [InlineData("obstacle.close", "leave.button")]
    public void Nothing_else_is_a_notice_in_the_call(params string[] entries) =>
        Assert.Null(JoinDecision.NoticeIn(View(entries), Fresh, Now));

    [Theory]
    [InlineData("join.now")]
    [InlineData("join.the_call_now")]
    [InlineData("join.ask")]
    [InlineData("join.ask_anyway")]
    [InlineData("join.anyway")]
    [InlineData("join.here_too")]
    [InlineData("join.switch_here")]
    public void Every_join_button_is_clicked(string entry) => Assert.Equal(entry, Target<JoinDecision.Click>(Decide("microphone.off", "camera.off", entry)));

    [Fact]
    public void A_second_join_button_about_recording_is_clicked_too() =>
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide("join.now", "leave.button", "microphone.off", "camera.off")));

    [Theory]
    [InlineData("waiting.asking")]
    [InlineData("waiting.someone_lets_you_in")]
    [InlineData("waiting.host_brings_you")]
    [InlineData("waiting.host_admits_you")]
    [InlineData("waiting.for_the_host")]
    public void The_waiting_room_is_no_call_although_one_can_leave_it(string entry) =>
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(entry, "microphone.off", "camera.off", "leave.button", "count.people"));

    [Fact]
    public void The_call_is_where_one_can_leave_and_nothing_asks_to_wait() =>
        Assert.IsType<JoinDecision.Admitted>(Decide("microphone.off", "camera.off", "leave.button", "count.people"));

    [Theory]
    [InlineData("getting_ready.text", "leave.button")]
    [InlineData("leave.button", "name.box")]
    [InlineData("microphone.off", "camera.off")]
    public void Nothing_less_is_the_call(params string[] entries) => Assert.IsNotType<JoinDecision.Admitted>(Decide(entries));

    [Fact]
    public void An_offer_to_ask_again_after_nobody_answered_is_no_denial() => Assert.Equal(
        EndReason.WaitingRoomTimeout, Assert.IsType<JoinDecision.GiveUp>(Decide("no_answer.text", "denied.ask_again")).Reason);

    [Theory]
    [InlineData("denied.request", EndReason.DeniedByHost)]
    [InlineData("denied.ask_again", EndReason.DeniedByHost)]
    [InlineData("left.text", EndReason.DeniedByHost)]
    [InlineData("no_answer.text", EndReason.WaitingRoomTimeout)]
    [InlineData("blocked.cannot_join", EndReason.BlockedByPlatform)]
    [InlineData("blocked.problem", EndReason.BlockedByPlatform)]
    [InlineData("not_found.check_code", EndReason.MeetingNotFound)]
    [InlineData("not_found.expired", EndReason.MeetingNotFound)]
    [InlineData("login.heading", EndReason.LoginRequired)]
    [InlineData("login.redirect", EndReason.LoginRequired)]
    [InlineData("ended.by_host", EndReason.MeetingEnded)]
    [InlineData("removed.text", EndReason.RemovedByHost)]
    public void A_refusal_ends_the_attempt_whatever_else_is_still_to_be_seen(string entry, EndReason reason)
    {
        var decision = Assert.IsType<JoinDecision.GiveUp>(Decide(entry, "waiting.asking", "leave.button"));

        Assert.Equal(reason, decision.Reason);
        Assert.Contains(entry, decision.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_waiting_room_is_left_when_its_time_is_up()
    {
        var waiting = Fresh.WithWaitingRoom(Now);
        var view = View("waiting.asking");

        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(view, waiting, Now.AddMinutes(10).AddSeconds(-1)));
        var decision = Assert.IsType<JoinDecision.GiveUp>(Decide(view, waiting, Now.AddMinutes(10)));
        Assert.Equal(EndReason.WaitingRoomTimeout, decision.Reason);
    }

    [Fact]
    public void An_unknown_page_is_told_about_and_not_clicked_at()
    {
        var view = View("microphone.off") with { Url = "https://meet.google.com/new", Title = "Something new" };

        Assert.IsType<JoinDecision.Wait>(Decide(view, Fresh, Now.AddSeconds(59)));
        var decision = Assert.IsType<JoinDecision.GiveUp>(Decide(view, Fresh, Now.AddSeconds(60)));
        Assert.Equal(EndReason.JoinFailed, decision.Reason);
        Assert.Contains("Something new", decision.Detail, StringComparison.Ordinal);
    }

    private static JoinDecision Decide(params string[] entries) => Decide(View(entries));

    [Theory]
    [InlineData(200, null)]
    [InlineData(304, null)]
    [InlineData(401, EndReason.LoginRequired)]
    [InlineData(403, EndReason.BlockedByPlatform)]
    [InlineData(404, EndReason.MeetingNotFound)]
    [InlineData(429, EndReason.BlockedByPlatform)]
    [InlineData(503, EndReason.JoinFailed)]
    [InlineData(410, EndReason.MeetingNotFound)]
    public void What_a_page_answers_tells_who_turns_the_bot_away(int status, EndReason? reason) =>
        Assert.Equal(reason, MeetingPage.RefusalIn(status));

    private static JoinDecision Decide(PageView view) => Decide(view, Fresh, Now);

    private static JoinDecision Decide(PageView view, JoinHistory history, DateTimeOffset now) =>
        JoinDecision.Decide(view, history, BotName, new(), now);

    private static PageView View(params string[] entries) =>
        new("https://meet.google.com/abc-defg-hij", "Meet", Capturing: false, [.. entries.Select(Match)]);

    private static PageMatch Match(string entry) =>
        new(entry, SelectorPack.Embedded.Entries.Single(known => known.Id == entry).Sign, new(10, 10, Free: true), Value: string.Empty);

    private static string Target<T>(JoinDecision decision) where T : JoinDecision => Assert.IsType<T>(decision) switch
    {
        JoinDecision.Click click => click.Target.Entry,
        JoinDecision.Press press => press.Target.Entry,
        JoinDecision.FillName fill => fill.Box.Entry,
        var other => throw new InvalidOperationException($"{other} has no target."),
    };
}
