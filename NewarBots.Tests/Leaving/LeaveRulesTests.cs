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
    public void A_bot_stays_while_others_are_there() =>
        Assert.Null(After(TimeSpan.FromHours(3.9), Call(others: 2)));

    [Fact]
    public void It_leaves_when_nobody_came() =>
        Assert.Equal((EndReason.NobodyJoined, 600), LeavesAt(Call(others: 0)));

    [Fact]
    public void It_leaves_when_everyone_has_left()
    {
        After(TimeSpan.FromMinutes(30), Call(others: 2));

        Assert.Equal((EndReason.EveryoneLeft, 1861), LeavesAt(Call(others: 0)));
    }

    [Fact]
    public void Someone_who_comes_back_in_time_keeps_it()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 1));
        Assert.Null(After(TimeSpan.FromSeconds(50), Call(others: 0)));
        Assert.Null(After(TimeSpan.FromSeconds(5), Call(others: 1)));

        Assert.Equal((EndReason.EveryoneLeft, 176), LeavesAt(Call(others: 0)));
    }

    [Fact]
    public void Where_the_page_does_not_tell_how_many_whoever_sends_audio_is_there()
    {
        Assert.Null(After(TimeSpan.FromMinutes(30), Call(), tracks: 1, bytesPerSecond: 4000));

        Assert.Equal((EndReason.EveryoneLeft, 1861), LeavesAt(Call()));
    }

    [Fact]
    public void Where_it_does_not_tell_and_tracks_are_there_all_may_have_muted_themselves_for_a_while()
    {
        After(TimeSpan.FromMinutes(30), Call(), tracks: 1, bytesPerSecond: 4000);

        Assert.Equal((EndReason.EveryoneLeft, 2405), LeavesAt(Call(), tracks: 1));
    }

    [Fact]
    public void Silence_is_a_reason_only_where_asked_for()
    {
        Assert.Null(After(TimeSpan.FromHours(1), Call(others: 2), recording: true));

        _rules = Rules(new() { SilenceTimeout = TimeSpan.FromMinutes(90) });
        var (reason, _) = LeavesAt(Call(others: 2), recording: true);
        Assert.Equal(EndReason.Silence, reason);
    }

    [Fact]
    public void The_longest_time_is_the_longest_time() =>
        Assert.Equal((EndReason.MaxDuration, 4 * 3600), LeavesAt(Call(others: 5)));

    [Theory]
    [InlineData(nameof(PageSign.Removed), EndReason.RemovedByHost)]
    [InlineData(nameof(PageSign.Ended), EndReason.MeetingEnded)]
    [InlineData(nameof(PageSign.Left), EndReason.MeetingEnded)]
    public void The_page_tells_the_end(string sign, EndReason reason) =>
        Assert.Equal(reason, After(TimeSpan.FromSeconds(1), Page(new PageMatch("some.entry", Enum.Parse<PageSign>(sign))))?.Reason);

    [Fact]
    public void Words_in_the_calls_chat_are_no_end() =>
        Assert.Null(After(TimeSpan.FromSeconds(30), Page(LeaveButton, new PageMatch("removed.text", PageSign.Removed)), bytesPerSecond: 4000, tracks: 1));

    [Fact]
    public void Neither_are_those_of_a_waiting_room_while_the_page_counts_who_is_there()
    {
        var call = Call(others: 2);
        var chat = call with { Matches = [.. call.Matches, new("removed.text", PageSign.Removed), new("waiting.asking", PageSign.WaitingRoom)] };

        Assert.Null(After(TimeSpan.FromMinutes(5), chat));
    }

    [Fact]
    public void Reconnecting_is_no_end_but_a_page_that_stays_dead_is_one()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        Assert.Null(After(TimeSpan.FromSeconds(55), Page(), bytesPerSecond: 0));
        Assert.Null(After(TimeSpan.FromSeconds(5), Call(others: 3)));

        var (reason, seconds) = LeavesAt(Page());
        Assert.Equal((EndReason.MeetingEnded, 420), (reason, seconds));
    }

    [Fact]
    public void Other_recorders_are_nobody()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 3));

        Assert.Equal((EndReason.EveryoneLeft, 121), LeavesAt(Call(others: 2) with { OtherRecorders = 2 }));
    }

    [Fact]
    public void But_who_speaks_is_somebody_by_whatever_name()
    {
        var withANamesake = Call(others: 1) with { OtherRecorders = 1 };

        Assert.Null(After(TimeSpan.FromHours(1), withANamesake, recording: true, isAudible: true));

        // For 8 s more, 2 of the last 10 s are speech.
        Assert.Equal((EndReason.EveryoneLeft, 3600 + 9 + 60), LeavesAt(withANamesake, recording: true));
    }

    [Fact]
    public void A_chime_now_and_then_is_not_speech()
    {
        After(TimeSpan.FromMinutes(1), Call(others: 1));
        var withARecorder = Call(others: 1) with { OtherRecorders = 1 };

        Assert.Null(After(TimeSpan.FromSeconds(30), withARecorder, recording: true));
        Assert.Null(After(TimeSpan.FromSeconds(1), withARecorder, recording: true, isAudible: true));
        Assert.Equal((EndReason.EveryoneLeft, 121), LeavesAt(withARecorder, recording: true));
    }

    [Fact]
    public void A_sentence_now_and_then_is()
    {
        var withANamesake = Call(others: 1) with { OtherRecorders = 1 };

        for (var minute = 0; minute < 30; minute++)
        {
            Assert.Null(After(TimeSpan.FromSeconds(50), withANamesake, recording: true));
            Assert.Null(After(TimeSpan.FromSeconds(2), withANamesake, recording: true, isAudible: true));
        }
    }

    [Fact]
    public void Words_in_the_chat_of_a_call_that_does_not_count_are_no_end_while_audio_comes_in()
    {
        var chat = Page(
            LeaveButton, new PageMatch("waiting.asking", PageSign.WaitingRoom), new PageMatch("removed.text", PageSign.Removed));

        Assert.Null(After(TimeSpan.FromMinutes(5), chat, tracks: 1, bytesPerSecond: 4000));
        Assert.Equal(EndReason.RemovedByHost, After(TimeSpan.FromSeconds(6), chat, tracks: 1)?.Reason);
    }

    [Fact]
    public void What_a_deaf_bot_does_not_hear_is_no_silence()
    {
        _rules = Rules(new() { SilenceTimeout = TimeSpan.FromSeconds(30) });

        Assert.Null(After(TimeSpan.FromMinutes(5), Call(others: 1), recording: true, isHearingInDoubt: true));
        // What went before is none either, once it hears again.
        Assert.Null(After(TimeSpan.FromSeconds(29), Call(others: 1), recording: true));
        Assert.Equal(EndReason.Silence, After(TimeSpan.FromSeconds(1), Call(others: 1), recording: true)?.Reason);
    }

    [Fact]
    public void Words_in_the_calls_chat_are_no_end_while_a_notice_asks_to_join_once_more_either() =>
        Assert.Null(After(
            TimeSpan.FromSeconds(30), Page(LeaveButton, new PageMatch("join.now", PageSign.JoinButton), new PageMatch("ended.call", PageSign.Ended))));

    [Theory]
    [InlineData(nameof(PageSign.NameBox))]
    [InlineData(nameof(PageSign.WaitingRoom))]
    [InlineData(nameof(PageSign.JoinButton))]
    public void A_page_that_went_back_to_the_door_is_as_good_as_crashed(string sign)
    {
        After(TimeSpan.FromMinutes(5), Call(others: 3));
        var door = Page(new PageMatch("some.entry", Enum.Parse<PageSign>(sign)));

        Assert.Null(After(TimeSpan.FromSeconds(5), door));
        Assert.Equal(EndReason.BrowserCrashed, After(TimeSpan.FromSeconds(1), door)?.Reason);
    }

    [Fact]
    public void Whoever_was_there_before_the_browser_died_was_there()
    {
        After(TimeSpan.FromMinutes(5), Call(others: 1));
        _rules = _rules.JoinedAgain(_now);

        Assert.Equal((EndReason.EveryoneLeft, 360), LeavesAt(Call(others: 0)));
    }

    [Fact]
    public void Only_what_the_page_did_not_say_and_what_went_wrong_is_worth_evidence()
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
        bool isHearingInDoubt = false)
    {
        LeaveDecision? decision = null;
        for (var second = 0; second < duration.TotalSeconds && decision is null; second++)
        {
            _now += TimeSpan.FromSeconds(1);
            _receivedBytes += bytesPerSecond;
            _packets += recording ? 50 : 0;
            _audiblePackets += isAudible ? 50 : 0;
            _lastAudiblePacket = isAudible ? _packets - 1 : _lastAudiblePacket;
            var progress = new RecordingProgress(
                Chunks: 1, _packets, _audiblePackets, _lastAudiblePacket, new(1, tracks, _receivedBytes), _now);
            _rules = _rules.Observe(view, progress, isHearingInDoubt, _now);
            decision = _rules.Decide();
        }

        return decision;
    }

    private (EndReason? Reason, int Seconds) LeavesAt(PageView view, int tracks = 0, bool recording = false) =>
        (After(TimeSpan.FromHours(5), view, tracks, recording: recording)?.Reason, (int)(_now - Start).TotalSeconds);
}
