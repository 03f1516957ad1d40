using NewarBots.Contract;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class JoinDecisionTests
{
    private const string BotName = "Notes bot";
    private static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly JoinHistory Fresh = new(Now, new DialogAnswers(SelectorPack.Embedded));

    [Fact]
    public void Fills_in_the_name_before_clicking_anything() =>
        Assert.Equal("name.box", Target<JoinDecision.FillName>(Decide("name.box", "microphone.on", "join.ask")));

    [Fact]
    public void Leaves_a_correct_name_unchanged() =>
        Assert.Equal("join.ask", Target<JoinDecision.Click>(Decide(View() with
        {
            Matches = [Match("name.box") with { Value = BotName }, .. View("microphone.off", "camera.off", "join.ask").Matches],
        })));

    [Fact]
    public void A_signed_in_bot_joins_without_filling_in_a_name() =>
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide("microphone.off", "camera.off", "join.now")));

    [Theory]
    [InlineData("microphone.on", "join.now")]
    [InlineData("camera.on", "join.now")]
    [InlineData("dialog.got_it", "join.now")]
    [InlineData("dialog.without_devices", "microphone.on", "camera.on", "join.ask")]
    public void Clicks_dialogs_and_devices_before_the_join_button(params string[] entries) =>
        Assert.Equal(entries[0], Target<JoinDecision.Click>(Decide(entries)));

    [Fact]
    public void Does_not_join_while_the_microphone_is_on()
    {
        var view = View("microphone.on", "join.now");
        var clicked = Fresh.WithAct(view.Matches[0], Now);

        Assert.IsType<JoinDecision.Wait>(Decide(view, clicked, Now.AddSeconds(1)));
        Assert.Equal("microphone.on", Target<JoinDecision.Click>(Decide(view, clicked, Now.AddSeconds(3))));
    }

    [Fact]
    public void Joins_even_if_a_dialog_never_reacts_to_clicks()
    {
        var view = View("dialog.got_it", "microphone.off", "camera.off", "join.now");
        var tried = Enumerable.Range(0, 5).Aggregate(Fresh, (history, _) => history.WithAct(view.Matches[0], Now));

        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, tried, Now.AddSeconds(10))));
    }

    [Theory]
    [InlineData("microphone.on", "camera.off")]
    [InlineData("microphone.off", "camera.on")]
    public void Gives_up_if_a_device_cannot_be_turned_off(params string[] devices)
    {
        var view = View([.. devices, "join.now"]);
        var on = view.Matches.Single(match => match.Entry.EndsWith(".on", StringComparison.Ordinal));
        var tried = Enumerable.Range(0, 5).Aggregate(Fresh.WithView(view, Now), (history, _) => history.WithAct(on, Now));

        Assert.IsType<JoinDecision.Wait>(Decide(view, tried, Now.AddSeconds(59)));
        Assert.Equal(EndReason.JoinFailed, Assert.IsType<JoinDecision.GiveUp>(Decide(view, tried, Now.AddSeconds(60))).Reason);
    }

    [Fact]
    public void Waits_a_moment_for_device_controls_and_then_joins_without_them()
    {
        var view = View("join.now");
        var history = Fresh.WithView(view, Now);

        Assert.IsType<JoinDecision.Wait>(Decide(view, history, Now.AddSeconds(3)));
        Assert.Equal("microphone.on", Target<JoinDecision.Click>(Decide(View("microphone.on", "camera.off", "join.now"), history, Now.AddSeconds(3))));
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, history, Now.AddSeconds(4))));
    }

    [Fact]
    public void Presses_a_covered_join_button_after_trying_to_close_what_covers_it()
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
    public void Does_not_close_an_obstacle_that_covers_nothing() =>
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide("obstacle.close", "microphone.off", "camera.off", "join.now")));

    [Fact]
    public void A_control_that_reappears_may_be_clicked_again()
    {
        var view = View("microphone.off", "camera.off", "join.now");
        var tried = Enumerable.Range(0, 5).Aggregate(Fresh, (history, _) => history.WithAct(Match("join.now"), Now));

        Assert.IsType<JoinDecision.Wait>(Decide(view, tried, Now.AddSeconds(10)));
        var back = tried.WithView(View("getting_ready.text"), Now).WithView(view, Now);
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, back, Now)));
    }

    [Fact]
    public void Gives_up_on_a_page_that_loops()
    {
        var (there, gone) = (View("microphone.off", "camera.off", "join.now"), View("getting_ready.text"));
        var tried = Enumerable.Range(0, 100).Aggregate(
            Fresh, (history, _) => history.WithView(there, Now).WithAct(Match("join.now"), Now).WithView(gone, Now));

        Assert.IsType<JoinDecision.GiveUp>(Decide(there, tried, Now.AddSeconds(60)));
    }

    [Theory]
    [InlineData("dialog.got_it", "leave.button")]
    [InlineData("stay.call", "leave.button")]
    public void Dismisses_notices_in_the_call(params string[] entries) =>
        Assert.Equal(entries[0], JoinDecision.NoticeIn(View(entries), Fresh, Now)?.Entry);

    [Theory]
    [InlineData("join.now", "microphone.off")]
    [InlineData("join.now", "name.box", "leave.button")]
    [InlineData("dialog.got_it", "waiting.asking", "leave.button")]
    [InlineData("obstacle.close", "leave.button")]
    [InlineData("join.now", "leave.button", "microphone.off")]
    public void Dismisses_nothing_else_in_the_call(params string[] entries) =>
        Assert.Null(JoinDecision.NoticeIn(View(entries), Fresh, Now));

    [Theory]
    [InlineData("join.now")]
    [InlineData("join.the_call_now")]
    [InlineData("join.ask")]
    [InlineData("join.ask_anyway")]
    [InlineData("join.anyway")]
    [InlineData("join.here_too")]
    [InlineData("join.as_viewer")]
    [InlineData("join.waiting_room_anyway")]
    public void Clicks_every_kind_of_join_button(string entry) => Assert.Equal(entry, Target<JoinDecision.Click>(Decide("microphone.off", "camera.off", entry)));

    [Fact]
    public void Another_session_of_the_account_keeps_the_call_unless_it_is_this_bots_earlier_one()
    {
        var view = View("microphone.off", "camera.off", "join.switch_here", "join.other_ways");

        Assert.Equal("join.other_ways", Target<JoinDecision.Click>(Decide(view)));
        Assert.Equal("join.here_too", Target<JoinDecision.Click>(Decide("microphone.off", "camera.off", "join.switch_here", "join.other_ways", "join.here_too")));
        var opened = Fresh.WithView(view, Now).WithAct(Match("join.other_ways"), Now);
        Assert.IsType<JoinDecision.Wait>(Decide(view, opened, Now.AddSeconds(30)));
        Assert.Contains("already in the call", Assert.IsType<JoinDecision.GiveUp>(Decide(view, opened, Now.AddSeconds(60))).Detail, StringComparison.Ordinal);
        Assert.Equal("join.switch_here", Target<JoinDecision.Click>(Decide(view, Fresh with { IsAgain = true }, Now)));
    }

    [Fact]
    public void Clicks_a_second_join_button_in_a_recording_notice() =>
        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide("join.now", "leave.button", "microphone.off", "camera.off")));

    [Theory]
    [InlineData("waiting.asking")]
    [InlineData("waiting.someone_lets_you_in")]
    [InlineData("waiting.host_brings_you")]
    [InlineData("waiting.host_admits_you")]
    [InlineData("waiting.for_the_host")]
    [InlineData("waiting.not_started")]
    public void The_waiting_room_is_not_the_call_although_it_has_a_leave_button(string entry) =>
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(entry, "microphone.off", "camera.off", "leave.button", "count.people"));

    [Fact]
    public void A_meeting_that_has_not_started_is_asked_to_join_before_waiting()
    {
        var view = View("waiting.not_started", "microphone.off", "camera.off", "join.ask");

        Assert.Equal("join.ask", Target<JoinDecision.Click>(Decide(view)));
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(view, Fresh.WithAct(Match("join.ask"), Now), Now.AddSeconds(1)));
    }

    [Fact]
    public void A_page_with_a_leave_button_and_unknown_words_is_not_the_call()
    {
        var view = View("microphone.off", "camera.off", "leave.button");

        Assert.IsType<JoinDecision.Wait>(Decide(view, Fresh, Now.AddSeconds(59)));
        Assert.Equal(EndReason.JoinFailed, Assert.IsType<JoinDecision.GiveUp>(Decide(view, Fresh, Now.AddSeconds(60))).Reason);
    }

    [Theory]
    [InlineData("call.notifications")]
    [InlineData("call.people")]
    [InlineData("call.details")]
    public void Something_that_exists_in_a_call_only_proves_the_call(string entry) =>
        Assert.IsType<JoinDecision.Admitted>(Decide("microphone.off", "camera.off", "leave.button", entry));

    [Theory]
    [InlineData(1, 0, false)]
    [InlineData(2, 0, true)]
    [InlineData(null, 1, true)]
    [InlineData(null, 0, false)]
    public void A_count_of_others_or_the_name_of_another_proves_the_call(int? count, int named, bool isCall)
    {
        var view = View("leave.button") with { NamedOthers = named };
        if (count is not null)
            view = view with { Matches = [.. view.Matches, Match("count.people") with { Number = count }] };

        Assert.Equal(isCall, Decide(view) is JoinDecision.Admitted);
    }

    [Fact]
    public void A_bot_that_is_counted_as_the_only_participant_is_in_the_call()
    {
        var view = View("leave.button");

        Assert.IsType<JoinDecision.Admitted>(Decide(view with { Matches = [.. view.Matches, Match("count.avatars") with { Number = 1 }], IsSelfShown = true }));
    }

    [Fact]
    public void A_dialog_over_the_door_is_answered_before_the_door()
    {
        var view = View("microphone.off", "camera.off", "join.now");
        view = view with
        {
            Dialogs = [new("Recorded", IsModal: true, [new("Leave", new(1, 1, Free: true)), new("Join now", new(5, 5, Free: true), "join.now", PageSign.JoinButton)])],
        };

        Assert.Equal("Join now", Assert.IsType<JoinDecision.AnswerDialog>(Decide(view)).Answer.Button!.Name);
    }

    [Fact]
    public void A_dialog_does_not_make_the_bot_join_with_its_microphone_on()
    {
        var view = View("microphone.on", "camera.off", "join.now");
        view = view with { Dialogs = [new("Recorded", IsModal: true, [new("Join now", new(5, 5, Free: true), "join.now", PageSign.JoinButton)])] };

        Assert.Equal("microphone.on", Target<JoinDecision.Click>(Decide(view)));
        Assert.IsType<JoinDecision.AnswerDialog>(Decide(view, Fresh.WithAct(Match("join.now"), Now.AddSeconds(-9)), Now));
    }

    [Fact]
    public void Received_audio_proves_the_call()
    {
        string[] entries = ["leave.button"];
        var history = Fresh;
        for (var second = 0; second < 3; second++)
        {
            Assert.IsNotType<JoinDecision.Admitted>(Decide(View(entries), history, Now.AddSeconds(second)));
            history = history.WithView(View(entries) with { ReceivedBytes = second * 4000 }, Now.AddSeconds(second));
        }

        Assert.IsType<JoinDecision.Admitted>(Decide(View(entries), history, Now.AddSeconds(3)));
        Assert.IsNotType<JoinDecision.Admitted>(Decide(View([.. entries, "name.box"]), history, Now.AddSeconds(3)));
        Assert.IsNotType<JoinDecision.Admitted>(Decide(View(entries), history, Now.AddSeconds(8)));
    }

    [Theory]
    [InlineData(null, 0, false)]
    [InlineData(1, 0, false)]
    [InlineData(2, 0, true)]
    [InlineData(null, 1, true)]
    public void Music_in_a_waiting_room_admits_nobody_unless_the_page_shows_others(int? count, int named, bool isAdmitted)
    {
        var view = View("waiting.asking", "leave.button") with { NamedOthers = named };
        if (count is not null)
            view = view with { Matches = [.. view.Matches, Match("count.people") with { Number = count }] };
        var history = Fresh.WithAct(Match("join.ask"), Now).WithWaitingRoom(Now);
        for (var second = 0; second < 3; second++)
            history = history.WithView(view with { ReceivedBytes = second * 4000 }, Now.AddSeconds(second));

        var decision = Decide(view, history, Now.AddSeconds(3));

        Assert.IsType(isAdmitted ? typeof(JoinDecision.Admitted) : typeof(JoinDecision.WaitInWaitingRoom), decision);
        var denied = view with { Matches = [.. view.Matches, Match("denied.request")] };
        Assert.Equal(EndReason.DeniedByHost, Assert.IsType<JoinDecision.GiveUp>(Decide(denied, history, Now.AddSeconds(3))).Reason);
    }

    [Theory]
    [InlineData(3, 2, false, true, "leave.button", "call.people")]
    [InlineData(null, 2, true, true, "leave.button")]
    [InlineData(3, 0, true, true, "leave.button")]
    [InlineData(3, 2, false, false, "call.people")]
    [InlineData(3, 2, false, false, "leave.button")]
    [InlineData(3, 0, false, false, "leave.button", "call.people")]
    [InlineData(3, 2, true, false)]
    [InlineData(null, 0, true, false, "leave.button")]
    [InlineData(3, 2, false, false, "leave.button", "call.people", "waiting.asking")]
    [InlineData(3, 2, true, false, "leave.button", "call.people", "getting_ready.text")]
    public void A_lobby_that_stays_beside_the_call_needs_more_proof(int? count, int named, bool isReceiving, bool isCall, params string[] entries)
    {
        var view = View([.. entries, "name.box", "join.ask"]) with { NamedOthers = named };
        if (count is not null)
            view = view with { Matches = [.. view.Matches, Match("count.people") with { Number = count }] };
        var history = Fresh.WithAct(Match("join.ask"), Now);
        for (var second = 0; isReceiving && second < 3; second++)
            history = history.WithView(view with { ReceivedBytes = second * 4000 }, Now);

        Assert.Equal(isCall, Decide(view, history, Now) is JoinDecision.Admitted);
    }

    [Fact]
    public void Sounds_in_a_lobby_do_not_prove_the_call_before_the_request_to_join()
    {
        var view = View("microphone.off", "camera.off", "join.now");
        var history = Fresh;
        for (var second = 0; second < 3; second++)
            history = history.WithView(view with { ReceivedBytes = second * 4000 }, Now);

        Assert.Equal("join.now", Target<JoinDecision.Click>(Decide(view, history, Now)));
        Assert.IsType<JoinDecision.Admitted>(Decide(view, history.WithAct(Match("join.now"), Now), Now));
    }

    [Fact]
    public void A_look_that_fails_changes_nothing()
    {
        var view = View("waiting.asking", "join.ask") with { ReceivedBytes = 4000, Drop = new("DisconnectedError: 72", Count: 1) };
        var history = Fresh.WithAct(Match("join.ask"), Now).WithView(view, Now);
        var exhausted = Enumerable.Range(0, 5).Aggregate(history, (tried, _) => tried.WithAct(Match("join.ask"), Now));

        Assert.Equal(exhausted, exhausted.WithView(PageView.Failed, Now.AddSeconds(1)));
        Assert.True(exhausted.WithView(PageView.Failed, Now.AddSeconds(1)).IsExhausted(Match("join.ask")));
    }

    [Fact]
    public void A_banner_with_a_join_button_does_not_hide_the_call() =>
        Assert.IsType<JoinDecision.Admitted>(Decide("microphone.off", "camera.off", "leave.button", "call.details", "join.now"));

    [Fact]
    public void A_black_page_after_the_request_to_join_is_a_waiting_room()
    {
        var black = View() with { IsBlank = true };
        var knocked = Fresh.WithAct(Match("join.ask"), Now);

        Assert.IsType<JoinDecision.Wait>(Decide(black));
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(black, knocked, Now.AddMinutes(5)));
        Assert.Equal(
            EndReason.WaitingRoomTimeout,
            Assert.IsType<JoinDecision.GiveUp>(Decide(black, knocked.WithWaitingRoom(Now), Now.AddMinutes(10))).Reason);
    }

    [Fact]
    public void A_page_at_another_address_after_the_meeting_is_a_block()
    {
        var product = View() with { Url = "https://example.com/products/meet", Title = "Meet for teams" };
        var asked = Fresh.WithView(View("waiting.asking"), Now);
        var bounced = asked.WithView(product, Now.AddSeconds(1));

        Assert.IsType<JoinDecision.Wait>(Decide(product, bounced, Now.AddSeconds(5)));
        var giveUp = Assert.IsType<JoinDecision.GiveUp>(Decide(product, bounced, Now.AddSeconds(6)));
        Assert.Equal(EndReason.BlockedByPlatform, giveUp.Reason);
        Assert.Contains("Meet for teams", giveUp.Detail, StringComparison.Ordinal);
        Assert.IsType<JoinDecision.Wait>(Decide(product, Fresh.WithView(product, Now), Now.AddSeconds(30)));
    }

    [Fact]
    public void Another_path_of_the_meetings_host_is_a_block_only_if_it_stays_with_text_and_without_audio()
    {
        var other = View() with { Url = "https://meet.google.com/call" };
        var asked = Fresh.WithView(View("waiting.asking"), Now);

        var bounced = asked.WithView(other, Now);
        Assert.IsType<JoinDecision.Wait>(Decide(other, bounced, Now.AddSeconds(29)));
        Assert.Equal(EndReason.BlockedByPlatform, Assert.IsType<JoinDecision.GiveUp>(Decide(other, bounced, Now.AddSeconds(30))).Reason);

        var black = other with { IsBlank = true };
        Assert.IsType<JoinDecision.Wait>(Decide(black, asked.WithView(black, Now), Now.AddSeconds(40)));
    }

    [Theory]
    [InlineData("waiting.asking")]
    [InlineData("getting_ready.text")]
    public void A_dialog_that_asks_to_wait_is_not_cancelled(string entry)
    {
        var view = View(entry, "leave.button") with
        {
            Dialogs = [new("Asking to be let in…", IsModal: true, [new("Cancel", new(1, 1, Free: true)), new("Close", new(2, 2, Free: true), "obstacle.close", PageSign.Obstacle)])],
        };

        Assert.IsNotType<JoinDecision.AnswerDialog>(Decide(view, Fresh.WithAct(Match("join.ask"), Now), Now));
        var consent = view with { Dialogs = [new("This call is recorded", IsModal: true, [new("Got it", new(1, 1, Free: true), "dialog.got_it", PageSign.Dialog)])] };
        Assert.IsType<JoinDecision.AnswerDialog>(Decide(consent));
    }

    [Fact]
    public void After_the_request_to_join_no_dialog_is_cancelled()
    {
        var view = View("leave.button") with { Dialogs = [new("We told them about you", IsModal: true, [new("Cancel", new(1, 1, Free: true))])] };

        Assert.IsNotType<JoinDecision.AnswerDialog>(Decide(view, Fresh.WithAct(Match("join.ask"), Now), Now));
        Assert.IsType<JoinDecision.AnswerDialog>(Decide(view));
    }

    [Theory]
    [InlineData("getting_ready.text", "leave.button")]
    [InlineData("leave.button", "name.box")]
    [InlineData("microphone.off", "camera.off")]
    public void Other_pages_are_not_the_call(params string[] entries) => Assert.IsNotType<JoinDecision.Admitted>(Decide(entries));

    [Fact]
    public void An_offer_to_ask_again_after_a_timeout_is_not_a_denial() => Assert.Equal(
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
    [InlineData("ended.this_call_has", EndReason.MeetingEnded)]
    [InlineData("connection_lost.ended", EndReason.JoinFailed)]
    [InlineData("blocked.problem_joining", EndReason.BlockedByPlatform)]
    [InlineData("removed.text", EndReason.RemovedByHost)]
    public void A_refusal_ends_the_attempt_even_if_the_waiting_room_is_still_visible(string entry, EndReason reason)
    {
        var decision = Assert.IsType<JoinDecision.GiveUp>(Decide(entry, "waiting.asking", "leave.button"));

        Assert.Equal(reason, decision.Reason);
        Assert.Contains(entry, decision.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name.box", "join.ask")]
    [InlineData("leave.button", "call.details")]
    public void A_refusal_inside_a_longer_text_is_a_name_or_a_title_at_the_door_and_in_the_call(params string[] entries)
    {
        var view = View(entries);
        view = view with { Matches = [.. view.Matches, Match("ended.meeting") with { IsPart = true }] };

        Assert.IsNotType<JoinDecision.GiveUp>(Decide(view));
        Assert.IsType<JoinDecision.GiveUp>(Decide(View("leave.button") with { Matches = [Match("ended.meeting") with { IsPart = true }] }));
    }

    [Fact]
    public void A_title_that_reads_like_a_refusal_does_not_end_the_wait()
    {
        PageMatch[] title = [Match("ended.call") with { IsPart = true }, Match("left.text") with { IsPart = true }];
        PageView Titled(params string[] entries) => View(entries) with { Matches = [.. View(entries).Matches, .. title] };
        var door = Titled("microphone.off", "camera.off", "join.ask");
        var asked = Fresh.WithView(door, Now).WithAct(Match("join.ask"), Now);

        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(Titled("waiting.asking", "leave.button"), asked, Now));
        Assert.IsType<JoinDecision.Wait>(Decide(Titled("leave.button"), asked, Now));
        // A signed-in account may wait without having asked.
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(Titled("waiting.asking", "leave.button")));

        // It ended after all.
        Assert.IsType<JoinDecision.GiveUp>(Decide(View("waiting.asking", "ended.call"), asked, Now));
        var full = View("waiting.asking") with { Matches = [Match("waiting.asking"), Match("blocked.maximum") with { IsPart = true }] };
        Assert.Equal(EndReason.BlockedByPlatform, Assert.IsType<JoinDecision.GiveUp>(Decide(full, asked, Now)).Reason);
    }

    [Fact]
    public void A_meeting_whose_title_asks_to_get_ready_is_a_call_like_any_other() =>
        Assert.IsType<JoinDecision.Admitted>(Decide("leave.button", "call.details", "getting_ready.text"));

    [Fact]
    public void A_chat_button_and_the_bots_own_tile_do_not_prove_the_call() =>
        Assert.IsNotType<JoinDecision.Admitted>(Decide(View("leave.button") with { IsSelfShown = true }));

    [Fact]
    public void A_known_waiting_room_that_is_followed_by_a_page_about_nothing_has_timed_out()
    {
        var waited = Fresh.WithAct(Match("join.ask"), Now).WithView(View("waiting.asking"), Now).WithWaitingRoom(Now);
        var home = View();
        var gone = waited.WithView(home, Now.AddSeconds(1));

        Assert.IsType<JoinDecision.Wait>(Decide(home, gone, Now.AddSeconds(19)));
        Assert.Equal(EndReason.WaitingRoomTimeout, Assert.IsType<JoinDecision.GiveUp>(Decide(home, gone, Now.AddSeconds(20))).Reason);
        Assert.IsType<JoinDecision.Wait>(Decide(View("leave.button"), gone, Now.AddSeconds(30)));
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(home with { IsBlank = true }, gone, Now.AddSeconds(30)));
    }

    [Theory]
    [InlineData(290, EndReason.BlockedByPlatform)]
    [InlineData(310, EndReason.WaitingRoomTimeout)]
    public void A_browser_that_is_sent_away_after_a_long_wait_was_not_blocked(int seconds, EndReason reason)
    {
        var waited = Fresh.WithView(View("waiting.asking"), Now).WithWaitingRoom(Now);
        var home = View() with { Url = "https://meet.google.com/landing" };
        var sentAway = waited.WithView(home, Now.AddSeconds(seconds - 30));

        Assert.Equal(reason, Assert.IsType<JoinDecision.GiveUp>(Decide(home, sentAway, Now.AddSeconds(seconds))).Reason);
    }

    [Fact]
    public void The_platform_may_ask_whether_to_keep_waiting()
    {
        var view = View("waiting.asking") with
        {
            Dialogs = [new("Nobody has answered yet", IsModal: true, [new("Leave", new(1, 1, Free: true)), new("Keep waiting", new(5, 5, Free: true), "stay.waiting", PageSign.Stay)])],
        };

        Assert.Equal("Keep waiting", Assert.IsType<JoinDecision.AnswerDialog>(Decide(view, Fresh.WithAct(Match("join.ask"), Now), Now)).Answer.Button!.Name);
    }

    [Fact]
    public void A_request_that_the_platform_drops_is_made_once_more()
    {
        var dropped = View("waiting.asking") with { Drop = new("DisconnectedError: 72", Count: 1) };
        var droppedAgain = View("waiting.asking") with { Drop = new("DisconnectedError: 72", Count: 2) };
        var asked = Fresh.WithAct(Match("join.ask"), Now).WithView(dropped, Now);

        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(dropped, asked, Now.AddSeconds(4)));
        Assert.IsType<JoinDecision.Reload>(Decide(dropped, asked, Now.AddSeconds(5)));
        var again = asked.WithReload(Now.AddSeconds(5)).WithAct(Match("join.ask"), Now.AddSeconds(8)).WithView(droppedAgain, Now.AddSeconds(9));
        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(droppedAgain, again, Now.AddSeconds(68)));
        var giveUp = Assert.IsType<JoinDecision.GiveUp>(Decide(droppedAgain, again, Now.AddSeconds(69)));
        Assert.Equal(EndReason.BlockedByPlatform, giveUp.Reason);
        Assert.Contains("DisconnectedError: 72", giveUp.Detail, StringComparison.Ordinal);
        Assert.IsType<JoinDecision.Admitted>(Decide(View("leave.button", "call.details") with { Drop = dropped.Drop }, asked, Now.AddSeconds(9)));
    }

    [Fact]
    public void An_error_from_before_the_request_to_join_does_not_drop_it()
    {
        var drop = new PageDrop("DisconnectedError: 72", Count: 1);
        var door = View("microphone.off", "camera.off", "join.ask") with { Drop = drop };
        var waiting = View("waiting.asking") with { Drop = drop };
        var asked = Fresh.WithView(door, Now).WithAct(Match("join.ask"), Now).WithView(waiting, Now);

        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(waiting, asked, Now.AddSeconds(70)));
        var dropped = waiting with { Drop = drop with { Count = 2 } };
        Assert.IsType<JoinDecision.Reload>(Decide(dropped, asked.WithView(dropped, Now), Now.AddSeconds(5)));
    }

    [Fact]
    public void A_name_that_the_page_shortens_or_respaces_is_left_alone()
    {
        var view = View("microphone.off", "camera.off", "join.ask");

        Assert.Equal("join.ask", Target<JoinDecision.Click>(Decide(view with { Matches = [Match("name.box") with { Value = " Notes  bot " }, .. view.Matches] })));
        var longName = new string('n', 100);
        var filled = view with { Matches = [Match("name.box") with { Value = longName[..60] }, .. view.Matches] };
        Assert.Equal("join.ask", Target<JoinDecision.Click>(JoinDecision.Decide(filled, Fresh, longName, new(), Now)));
    }

    [Fact]
    public void Leaves_the_waiting_room_after_its_timeout()
    {
        var waiting = Fresh.WithWaitingRoom(Now);
        var view = View("waiting.asking");

        Assert.IsType<JoinDecision.WaitInWaitingRoom>(Decide(view, waiting, Now.AddMinutes(10).AddSeconds(-1)));
        var decision = Assert.IsType<JoinDecision.GiveUp>(Decide(view, waiting, Now.AddMinutes(10)));
        Assert.Equal(EndReason.WaitingRoomTimeout, decision.Reason);
    }

    [Fact]
    public void Reports_an_unknown_page_and_clicks_nothing()
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
    public void HTTP_status_maps_to_the_reason_for_not_joining(int status, EndReason? reason) =>
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
