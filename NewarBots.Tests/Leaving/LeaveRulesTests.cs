using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Leaving;

public sealed class LeaveRulesTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly PageMatch LeaveButton = new("leave.button", PageSign.LeaveButton);

    private DateTimeOffset _now = Start;
    private long _receivedBytes;
    private long _packets;
    private long _audiblePackets;
    private long _lastAudiblePacket = -1;
    private LeaveRules _rules = Rules(new());

    [Fact]
    public void Stays_while_others_are_in_the_call() =>
        Assert.Null(After(TimeSpan.FromHours(3.9), Call(others: 2)));

    [Fact]
    public void Leaves_if_nobody_joins() =>
        Assert.Equal((EndReason.NobodyJoined, 600), LeavesAt(Call(others: 0)));

    [Fact]
    public void Leaves_after_everyone_has_left()
    {
        After(TimeSpan.FromMinutes(30), Call(others: 2));

        Assert.Equal((EndReason.EveryoneLeft, 1861), LeavesAt(Call(others: 0)));
    }

    [Fact]
    public void Stays_if_someone_returns_in_time()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 1));
        Assert.Null(After(TimeSpan.FromSeconds(50), Call(others: 0)));
        Assert.Null(After(TimeSpan.FromSeconds(5), Call(others: 1)));

        Assert.Equal((EndReason.EveryoneLeft, 176), LeavesAt(Call(others: 0)));
    }

    [Fact]
    public void Without_a_count_received_audio_means_that_someone_is_there()
    {
        Assert.Null(After(TimeSpan.FromMinutes(30), Call(), tracks: 1, bytesPerSecond: 4000));

        Assert.Equal((EndReason.EveryoneLeft, 1861), LeavesAt(Call()));
    }

    [Fact]
    public void Without_a_count_silent_tracks_may_be_muted_participants_for_a_while()
    {
        After(TimeSpan.FromMinutes(30), Call(), tracks: 1, bytesPerSecond: 4000);

        Assert.Equal((EndReason.EveryoneLeft, 2405), LeavesAt(Call(), tracks: 1));
    }

    [Fact]
    public void Silence_ends_the_call_only_if_configured()
    {
        Assert.Null(After(TimeSpan.FromHours(1), Call(others: 2), recording: true));

        _rules = Rules(new() { SilenceTimeout = TimeSpan.FromMinutes(90) });
        var (reason, _) = LeavesAt(Call(others: 2), recording: true);
        Assert.Equal(EndReason.Silence, reason);
    }

    [Fact]
    public void Leaves_after_the_maximum_duration() =>
        Assert.Equal((EndReason.MaxDuration, 4 * 3600), LeavesAt(Call(others: 5)));

    [Theory]
    [InlineData(nameof(PageSign.Removed), EndReason.RemovedByHost)]
    [InlineData(nameof(PageSign.Ended), EndReason.MeetingEnded)]
    [InlineData(nameof(PageSign.Left), EndReason.MeetingEnded)]
    [InlineData(nameof(PageSign.ConnectionLost), EndReason.NetworkLost)]
    public void The_page_shows_why_the_call_ended(string sign, EndReason reason) =>
        Assert.Equal(reason, After(TimeSpan.FromSeconds(1), Page(new PageMatch("some.entry", Enum.Parse<PageSign>(sign))))?.Reason);

    [Fact]
    public void Matching_text_in_the_chat_does_not_end_the_call() =>
        Assert.Null(After(TimeSpan.FromSeconds(30), Page(LeaveButton, new PageMatch("removed.text", PageSign.Removed)), bytesPerSecond: 4000, tracks: 1));

    [Fact]
    public void Waiting_room_text_in_the_chat_does_not_end_a_call_with_a_participant_count()
    {
        var call = Call(others: 2);
        var chat = call with { Matches = [.. call.Matches, new("removed.text", PageSign.Removed), new("waiting.asking", PageSign.WaitingRoom)] };

        Assert.Null(After(TimeSpan.FromMinutes(5), chat));
    }

    [Fact]
    public void Reconnecting_does_not_end_the_call_but_a_page_that_stays_blank_does()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        Assert.Null(After(TimeSpan.FromSeconds(55), Page(), bytesPerSecond: 0));
        Assert.Null(After(TimeSpan.FromSeconds(5), Call(others: 3)));

        var (reason, seconds) = LeavesAt(Page());
        Assert.Equal((EndReason.MeetingEnded, 420), (reason, seconds));
    }

    [Fact]
    public void A_call_with_only_other_recorders_counts_as_empty()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 3));

        Assert.Equal((EndReason.EveryoneLeft, 121), LeavesAt(Call(others: 2) with { OtherRecorders = 2 }));
    }

    [Fact]
    public void Speech_means_a_person_even_under_the_name_of_a_recorder()
    {
        var withANamesake = Call(others: 1) with { OtherRecorders = 1 };

        Assert.Null(After(TimeSpan.FromHours(1), withANamesake, recording: true, isAudible: true));

        // For 8 more seconds, 2 of the last 10 s are speech.
        Assert.Equal((EndReason.EveryoneLeft, 3600 + 9 + 60), LeavesAt(withANamesake, recording: true));
    }

    [Fact]
    public void Speech_keeps_the_bot_in_the_call_whatever_the_page_counts()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 3), recording: true, isAudible: true);

        Assert.Null(After(TimeSpan.FromHours(1), Call(others: 0), recording: true, isAudible: true));
        Assert.True(_rules.IsMiscounted);
        // Sound counts for 2 more seconds.
        Assert.Equal((EndReason.EveryoneLeft, 3660 + 3 + 60), LeavesAt(Call(others: 0), recording: true));
    }

    [Fact]
    public void A_short_answer_is_speech_if_no_recorder_is_in_the_call()
    {
        for (var minute = 0; minute < 30; minute++)
        {
            Assert.Null(After(TimeSpan.FromSeconds(55), Call(others: 0), recording: true));
            Assert.Null(After(TimeSpan.FromSeconds(1), Call(others: 0), recording: true, isAudible: true));
        }
    }

    [Fact]
    public void Speech_between_looks_that_are_far_apart_is_speech()
    {
        _rules = Rules(new() { NobodyJoinedTimeout = TimeSpan.FromSeconds(10) });
        var withANamesake = Call(others: 1) with { OtherRecorders = 1 };

        Assert.Null(After(TimeSpan.FromSeconds(1), withANamesake, recording: true));
        Assert.Null(After(TimeSpan.FromSeconds(12), withANamesake, recording: true, isAudible: true, secondsBetweenLooks: 12));
    }

    [Fact]
    public void Someone_whom_the_page_names_is_there() =>
        Assert.Null(After(TimeSpan.FromHours(1), Call(others: 1) with { NamedOthers = 2, OtherRecorders = 1 }));

    [Fact]
    public void A_silent_person_beside_a_presenting_recorder_is_somebody() =>
        Assert.Equal(1, (Call(others: 2) with { NamedOthers = 2, OtherRecorders = 2 - 1 }).Others);

    [Fact]
    public void The_highest_count_counts()
    {
        var call = Call(others: 2);
        var stale = call with { Matches = [new("count.avatars", PageSign.ParticipantCount, Number: 1), .. call.Matches] };

        Assert.Equal(2, stale.Others);
    }

    [Fact]
    public void A_count_that_the_page_hides_is_valid_for_a_while()
    {
        After(TimeSpan.FromSeconds(10), Call(others: 2));
        After(TimeSpan.FromSeconds(9), Call());
        Assert.Equal(2, _rules.Others);
        After(TimeSpan.FromSeconds(1), Call());
        Assert.Null(_rules.Others);
    }

    [Fact]
    public void A_page_that_is_sent_to_another_address_removed_the_bot()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        var product = Page() with { Url = "https://example.com/products/meet" };

        Assert.Null(After(TimeSpan.FromSeconds(5), product));
        var decision = After(TimeSpan.FromSeconds(1), product);
        Assert.Equal(EndReason.RemovedByHost, decision?.Reason);
        Assert.True(decision!.IsOrdinary);
    }

    [Fact]
    public void Another_path_of_the_calls_host_may_be_another_room_for_a_while()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        var loading = Page() with { Url = "https://meet.google.com/rooms/loading" };

        Assert.Null(After(TimeSpan.FromSeconds(29), loading));
        Assert.Null(After(TimeSpan.FromSeconds(1), Call(others: 2) with { Url = "https://meet.google.com/rooms/2" }));
        Assert.Null(After(TimeSpan.FromSeconds(30), loading));
        Assert.Equal(EndReason.RemovedByHost, After(TimeSpan.FromSeconds(1), loading)?.Reason);
    }

    [Fact]
    public void A_redirect_over_the_calls_host_to_another_one_is_timed_from_there()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));

        Assert.Null(After(TimeSpan.FromSeconds(20), Page() with { Url = "https://meet.google.com/bye" }));
        Assert.Null(After(TimeSpan.FromSeconds(5), Page() with { Url = "https://example.com/products/meet" }));
        Assert.Equal(EndReason.RemovedByHost, After(TimeSpan.FromSeconds(1), Page() with { Url = "https://example.com/products/meet" })?.Reason);
    }

    [Fact]
    public void An_occasional_chime_is_not_speech()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 1));
        var withARecorder = Call(others: 1) with { OtherRecorders = 1 };

        Assert.Null(After(TimeSpan.FromSeconds(30), withARecorder, recording: true));
        Assert.Null(After(TimeSpan.FromSeconds(1), withARecorder, recording: true, isAudible: true));
        Assert.Equal((EndReason.EveryoneLeft, 121), LeavesAt(withARecorder, recording: true));
    }

    [Fact]
    public void An_occasional_sentence_is_speech()
    {
        var withANamesake = Call(others: 1) with { OtherRecorders = 1 };

        for (var minute = 0; minute < 30; minute++)
        {
            Assert.Null(After(TimeSpan.FromSeconds(50), withANamesake, recording: true));
            Assert.Null(After(TimeSpan.FromSeconds(2), withANamesake, recording: true, isAudible: true));
        }
    }

    [Fact]
    public void Without_a_count_matching_text_does_not_end_a_call_that_receives_audio()
    {
        var chat = Page(
            LeaveButton, new PageMatch("waiting.asking", PageSign.WaitingRoom), new PageMatch("removed.text", PageSign.Removed));

        Assert.Null(After(TimeSpan.FromMinutes(5), chat, tracks: 1, bytesPerSecond: 4000));
        Assert.Equal(EndReason.RemovedByHost, After(TimeSpan.FromSeconds(6), chat, tracks: 1)?.Reason);
    }

    [Fact]
    public void Lost_audio_does_not_count_as_silence()
    {
        _rules = Rules(new() { SilenceTimeout = TimeSpan.FromSeconds(30) });

        Assert.Null(After(TimeSpan.FromMinutes(5), Call(others: 1), recording: true, isAudioInDoubt: true));
        // Earlier silence does not count either.
        Assert.Null(After(TimeSpan.FromSeconds(29), Call(others: 1), recording: true));
        Assert.Equal(EndReason.Silence, After(TimeSpan.FromSeconds(1), Call(others: 1), recording: true)?.Reason);
    }

    [Fact]
    public void A_removal_in_a_modal_dialog_over_the_call_ends_it()
    {
        var call = Call(others: 2);
        After(TimeSpan.FromMinutes(5), call, tracks: 1, bytesPerSecond: 4000);
        var removed = call with { Matches = [.. call.Matches, new("removed.text", PageSign.Removed) { IsInModal = true }] };

        Assert.Equal(EndReason.RemovedByHost, After(TimeSpan.FromSeconds(1), removed, tracks: 1)?.Reason);
    }

    [Fact]
    public void An_end_in_a_modal_dialog_counts_once_no_audio_is_received()
    {
        var call = Call(others: 2);
        var ended = call with { Matches = [.. call.Matches, new("ended.call", PageSign.Ended) { IsInModal = true }] };

        Assert.Null(After(TimeSpan.FromMinutes(1), ended, tracks: 1, bytesPerSecond: 4000));
        Assert.Equal(EndReason.MeetingEnded, After(TimeSpan.FromSeconds(6), ended, tracks: 1)?.Reason);
    }

    [Fact]
    public void An_end_beside_a_hidden_leave_button_counts_after_a_while()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 2));
        var ended = Page(LeaveButton with { IsHidden = true }, new PageMatch("ended.call", PageSign.Ended));

        Assert.Null(After(TimeSpan.FromSeconds(9), ended));
        Assert.Equal(EndReason.MeetingEnded, After(TimeSpan.FromSeconds(1), ended)?.Reason);
    }

    [Fact]
    public void An_end_beside_a_count_that_is_left_over_ends_a_call_without_a_leave_button()
    {
        var call = Call(others: 2);
        var ended = Page([.. call.Matches.Skip(1), new("ended.call", PageSign.Ended)]);

        Assert.Null(After(TimeSpan.FromMinutes(1), ended, tracks: 1, bytesPerSecond: 4000));
        Assert.Equal(EndReason.MeetingEnded, After(TimeSpan.FromSeconds(6), ended, tracks: 1)?.Reason);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(null, 2)]
    public void A_call_whose_leave_button_has_unknown_words_goes_on_while_it_shows_others(int? count, int named)
    {
        List<PageMatch> matches = [new("getting_ready.text", PageSign.GettingReady)];
        if (count is not null)
            matches.Add(new("count.people", PageSign.ParticipantCount, Number: count));

        Assert.Null(After(TimeSpan.FromMinutes(5), Page([.. matches]) with { NamedOthers = named }));
        Assert.Equal(
            EndReason.BrowserCrashed,
            After(TimeSpan.FromSeconds(6), Page([.. matches, new("join.now", PageSign.JoinButton)]) with { NamedOthers = named })?.Reason);
    }

    [Fact]
    public void A_count_of_nobody_leaves_open_whether_the_network_is_lost_if_somebody_is_named_or_was_heard()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 0), recording: true);
        Assert.Equal(0, _rules.PossibleOthers(Call(others: 0), _now));
        Assert.Equal(1, _rules.PossibleOthers(Call(others: 0) with { NamedOthers = 1 }, _now));

        After(TimeSpan.FromSeconds(5), Call(others: 0), recording: true, isAudible: true);

        Assert.Null(_rules.PossibleOthers(Call(others: 0), _now.AddSeconds(59)));
        Assert.Equal(0, _rules.PossibleOthers(Call(others: 0), _now.AddSeconds(60)));
    }

    [Fact]
    public void Matching_text_does_not_end_a_call_that_shows_a_notice() =>
        Assert.Null(After(
            TimeSpan.FromSeconds(30), Page(LeaveButton, new PageMatch("join.now", PageSign.JoinButton), new PageMatch("ended.call", PageSign.Ended))));

    [Fact]
    public void A_name_box_that_stays_beside_the_call_does_not_end_it()
    {
        var call = Call(others: 2);

        Assert.Null(After(TimeSpan.FromMinutes(5), call with { Matches = [.. call.Matches, new("name.box", PageSign.NameBox), new("join.ask", PageSign.JoinButton)] }));
    }

    [Theory]
    [InlineData(nameof(PageSign.NameBox))]
    [InlineData(nameof(PageSign.SwitchButton))]
    [InlineData(nameof(PageSign.JoinButton))]
    public void A_page_that_returns_to_the_lobby_counts_as_crashed(string sign)
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        var lobby = Page(new PageMatch("some.entry", Enum.Parse<PageSign>(sign)));

        Assert.Null(After(TimeSpan.FromSeconds(5), lobby));
        Assert.Equal(EndReason.BrowserCrashed, After(TimeSpan.FromSeconds(1), lobby)?.Reason);
    }

    [Fact]
    public void A_bot_that_is_sent_back_to_the_waiting_room_waits_to_be_admitted_again()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        var waitingRoom = Page(LeaveButton, new PageMatch("waiting.sent_back", PageSign.WaitingRoom));

        Assert.Null(After(TimeSpan.FromSeconds(599), waitingRoom));
        Assert.True(_rules.IsWaiting);
        Assert.EndsWith("for up to 2 s more.", _rules.WaitingDetail, StringComparison.Ordinal);
        Assert.Null(After(TimeSpan.FromSeconds(55), Call(others: 0)));
        Assert.False(_rules.IsWaiting);
        Assert.Null(_rules.WaitingDetail);
        var decision = After(TimeSpan.FromMinutes(11), waitingRoom);
        Assert.Equal((EndReason.RemovedByHost, false), (decision!.Reason, decision.IsGuess));
    }

    [Fact]
    public void A_quiet_call_on_an_unknown_page_goes_on_while_it_is_connected()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3), tracks: 1);

        Assert.Null(After(TimeSpan.FromMinutes(9), Page(), tracks: 1, isConnected: true));
        Assert.Equal(EndReason.MeetingEnded, After(TimeSpan.FromSeconds(61), Page(), tracks: 1)?.Reason);
    }

    [Theory]
    [InlineData(nameof(PageSign.Left))]
    [InlineData(nameof(PageSign.LoginNeeded))]
    [InlineData(nameof(PageSign.NotFound))]
    public void A_page_that_has_dropped_the_bot_does_not_end_the_recording_properly(string sign)
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));

        Assert.False(After(TimeSpan.FromSeconds(1), Page(new PageMatch("some.entry", Enum.Parse<PageSign>(sign))))!.IsOrdinary);
    }

    [Fact]
    public void Participants_seen_before_a_browser_crash_are_remembered()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 1));
        _rules = _rules.AfterRejoin(_now);

        Assert.Equal((EndReason.EveryoneLeft, 360), LeavesAt(Call(others: 0)));
    }

    [Fact]
    public void After_a_look_that_fails_only_the_maximum_duration_ends_the_call()
    {
        _rules = Rules(new() { MaxDuration = TimeSpan.FromSeconds(100) });
        var lobby = Page(new PageMatch("join.now", PageSign.JoinButton));
        Assert.Null(After(TimeSpan.FromSeconds(4), lobby));
        Assert.Null(After(TimeSpan.FromSeconds(9), PageView.Failed));
        // The page has shown nothing else since.
        Assert.Equal(EndReason.BrowserCrashed, After(TimeSpan.FromSeconds(1), lobby)!.Reason);

        Assert.Equal(EndReason.MaxDuration, After(TimeSpan.FromSeconds(100), PageView.Failed)!.Reason);
    }

    [Fact]
    public void A_page_that_is_loaded_again_receives_nothing_yet()
    {
        After(TimeSpan.FromSeconds(30), Call(), tracks: 1, bytesPerSecond: 4000);
        After(TimeSpan.FromSeconds(30), Call(), tracks: 1);
        _receivedBytes = 0;

        Assert.Equal(EndReason.MeetingEnded, After(TimeSpan.FromSeconds(1), Page(LeaveButton, new PageMatch("ended.call", PageSign.Ended) { IsInModal = true }))!.Reason);
    }

    [Fact]
    public void Only_failures_and_guesses_are_not_ordinary()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        var lost = After(TimeSpan.FromMinutes(2), Page());

        Assert.False(lost!.IsOrdinary);
        Assert.True(After(TimeSpan.FromSeconds(1), Page(new PageMatch("some.entry", PageSign.Ended)))!.IsOrdinary);
        Assert.False(new LeaveDecision(EndReason.DeniedByHost).IsOrdinary);
    }

    private static LeaveRules Rules(LeaveConditions conditions) => new(conditions, Start + conditions.MaxDuration, Start);

    private static PageView Page(params PageMatch[] matches) => new("https://meet.google.com/abc", "Meet", Capturing: true, matches);

    private static PageView Call(int? others = null) => others is { } count
        ? Page(LeaveButton, new PageMatch("count.people", PageSign.ParticipantCount, Number: count + 1))
        : Page(LeaveButton);

    private LeaveDecision? After(
        TimeSpan duration,
        PageView view,
        int tracks = 0,
        long bytesPerSecond = 0,
        bool recording = false,
        bool isAudible = false,
        bool isAudioInDoubt = false,
        bool isConnected = false,
        int secondsBetweenLooks = 1)
    {
        LeaveDecision? decision = null;
        for (var second = 0; second < duration.TotalSeconds && decision is null; second++)
        {
            _now += TimeSpan.FromSeconds(1);
            _receivedBytes += bytesPerSecond;
            _packets += recording ? 50 : 0;
            _audiblePackets += isAudible ? 50 : 0;
            _lastAudiblePacket = isAudible ? _packets - 1 : _lastAudiblePacket;
            if ((second + 1) % secondsBetweenLooks != 0)
                continue;
            var progress = new RecordingProgress(
                Chunks: 1, _packets, _audiblePackets, _lastAudiblePacket, new(1, tracks, _receivedBytes), _now)
            {
                Network = isConnected ? new(Expected: 1, Live: 1, WasLive: true) : default,
            };
            _rules = _rules.Observe(view, progress, isAudioInDoubt, _now);
            decision = _rules.Decide();
        }

        return decision;
    }

    private (EndReason? Reason, int Seconds) LeavesAt(PageView view, int tracks = 0, bool recording = false) =>
        (After(TimeSpan.FromHours(5), view, tracks, recording: recording)?.Reason, (int)(_now - Start).TotalSeconds);
}
