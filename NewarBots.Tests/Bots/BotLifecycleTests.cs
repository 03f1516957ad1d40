using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

public sealed class BotLifecycleTests
{
    private static readonly DateTimeOffset Noon = SampleBots.Noon;

    private static readonly RecorderExit CleanExit = new(0, OutOfMemory: false, Noon);

    private static FinalizationResult Recorded { get; } =
        new FinalizationResult.Recorded(new RecordingInfo("ogg", 1000, 40, Complete: true), Chunks: 4, AudibleSeconds: 38);

    [Fact]
    public void A_bot_that_records_and_leaves_by_itself_ends_completed_with_the_recorders_reason()
    {
        var bot = SampleBots.Queued();
        bot = BotLifecycle.Launched(BotLifecycle.LaunchBegun(bot), Noon);
        foreach (var (status, sequence) in new[] { (BotStatus.Joining, 100L), (BotStatus.Waiting, 101), (BotStatus.Recording, 102) })
            bot = BotLifecycle.Heard(bot, bot.Says(status, sequence));
        bot = BotLifecycle.Heard(bot, bot.Says(BotStatus.Leaving, 103, EndReason.EveryoneLeft));
        bot = BotLifecycle.RecorderGone(bot, CleanExit);
        bot = BotLifecycle.Finalized(bot, Recorded, Noon.AddMinutes(5));

        Assert.Equal(BotStatus.Completed, bot.Status);
        Assert.Equal(EndReason.EveryoneLeft, bot.Reason);
        Assert.True(bot.EndedCleanly);
        Assert.Equal(Noon.AddSeconds(100), bot.JoiningAt);
        Assert.Equal(Noon.AddSeconds(102), bot.RecordingAt);
        Assert.Equal(Noon.AddMinutes(5), bot.EndedAt);
        Assert.Equal((4, 40.0, 38.0), (bot.Chunks, bot.RecordedSeconds, bot.AudibleSeconds!.Value));
        Assert.Null(bot.Error);
    }

    [Theory]
    [InlineData(137, true, EndReason.OutOfMemory)]
    [InlineData(137, false, EndReason.RecorderCrashed)]
    [InlineData(139, false, EndReason.RecorderCrashed)]
    [InlineData(0, false, EndReason.RecorderCrashed)]
    [InlineData(2, false, EndReason.LaunchFailed)]
    [InlineData(3, false, EndReason.MaxDuration)]
    public void A_recorder_that_dies_without_a_word_gets_the_engines_reason(long exitCode, bool outOfMemory, EndReason reason)
    {
        var bot = BotLifecycle.RecorderGone(SampleBots.In(BotStatus.Recording), new RecorderExit(exitCode, outOfMemory, Noon));

        Assert.Equal(BotStatus.Finalizing, bot.Status);
        Assert.Equal(reason, bot.Reason);
        Assert.False(bot.EndedCleanly);
        Assert.NotNull(bot.Error);
    }

    [Fact]
    public void A_bot_that_had_to_be_stopped_because_its_time_was_over_ends_with_max_duration_whatever_it_says_on_the_way()
    {
        var stopped = BotLifecycle.Overdue(SampleBots.In(BotStatus.Recording));
        var says = BotLifecycle.Heard(stopped, stopped.Says(BotStatus.Leaving, 103, EndReason.StopRequested));
        var left = BotLifecycle.RecorderGone(says, CleanExit);
        var killed = BotLifecycle.RecorderGone(stopped, new RecorderExit(137, OutOfMemory: false, Noon));

        Assert.True(stopped.StopRequested);
        Assert.Equal((EndReason.MaxDuration, true), (left.Reason!.Value, left.EndedCleanly));
        Assert.Equal((EndReason.MaxDuration, false), (killed.Reason!.Value, killed.EndedCleanly));
    }

    [Fact]
    public void A_recorder_that_is_killed_while_it_leaves_keeps_its_own_reason_but_did_not_end_cleanly()
    {
        var bot = SampleBots.In(BotStatus.Recording);
        bot = BotLifecycle.Heard(bot, bot.Says(BotStatus.Leaving, 100, EndReason.MeetingEnded));
        bot = BotLifecycle.RecorderGone(bot, new RecorderExit(137, OutOfMemory: false, Noon));

        Assert.Equal(EndReason.MeetingEnded, bot.Reason);
        Assert.False(bot.EndedCleanly);
    }

    [Fact]
    public void A_bot_that_was_not_let_in_fails_with_the_recorders_reason()
    {
        var bot = SampleBots.In(BotStatus.Waiting);
        bot = BotLifecycle.Heard(bot, bot.Says(BotStatus.Leaving, 100, EndReason.DeniedByHost));
        bot = BotLifecycle.Finalized(
            BotLifecycle.RecorderGone(bot, CleanExit), new FinalizationResult.NothingRecorded(), Noon);

        Assert.Equal((BotStatus.Failed, EndReason.DeniedByHost), (bot.Status, bot.Reason!.Value));
    }

    [Fact]
    public void A_bot_that_is_stopped_while_it_waits_does_not_say_for_how_long_it_still_will()
    {
        var bot = SampleBots.In(BotStatus.Waiting);
        bot = BotLifecycle.Heard(bot, bot.Says(BotStatus.Waiting, 100) with { Detail = "Waits to be let in, for 585 s more." });
        bot = BotLifecycle.Heard(bot, bot.Says(BotStatus.Leaving, 101, EndReason.StopRequested));
        bot = BotLifecycle.Finalized(
            BotLifecycle.RecorderGone(bot, CleanExit), new FinalizationResult.NothingRecorded(), Noon);

        Assert.Equal((BotStatus.Failed, EndReason.StopRequested, null), (bot.Status, bot.Reason!.Value, bot.Error));
    }

    [Fact]
    public void A_queued_bot_that_is_stopped_ends_at_once_and_a_recording_one_leaves_first()
    {
        Assert.Equal(
            (BotStatus.Failed, EndReason.StopRequested),
            Ending(BotLifecycle.StopAsked(SampleBots.Queued(), Noon)));
        var recording = BotLifecycle.StopAsked(SampleBots.In(BotStatus.Recording), Noon);
        Assert.Equal((BotStatus.Recording, true), (recording.Status, recording.StopRequested));

        static (BotStatus, EndReason) Ending(Bot bot) => (bot.Status, bot.Reason!.Value);
    }

    [Fact]
    public void A_scheduled_bot_that_is_stopped_ends_at_once_whatever_it_waited_for()
    {
        var bot = BotLifecycle.StartPostponed(SampleBots.Scheduled(), new(EndReason.MeetingTaken, "Another is there."));
        var stopped = BotResponse.Of(BotLifecycle.StopAsked(bot, Noon));

        Assert.Equal((BotStatus.Failed, EndReason.StopRequested, (string?)null), (stopped.Status, stopped.Reason!.Value, stopped.Error));
    }

    [Fact]
    public void What_is_changed_of_a_scheduled_bot_replaces_what_was_there_and_a_time_that_has_passed_means_now()
    {
        var bot = SampleBots.Scheduled() with { Metadata = new Dictionary<string, string> { ["case"] = "42" } };
        var waits = BotLifecycle.StartPostponed(bot, new(EndReason.MeetingTaken, "Another is there."));

        Assert.Equal(bot, BotLifecycle.Changed(bot, new(), Noon));
        Assert.Equal(bot with { BotName = "Other" }, BotLifecycle.Changed(bot, new() { BotName = "Other" }, Noon));
        Assert.Equal(Noon.AddDays(2), BotLifecycle.Changed(bot, new() { StartAt = Noon.AddDays(2) }, Noon).StartAt);
        Assert.Equal(Noon, BotLifecycle.Changed(bot, new() { StartAt = Noon.AddMinutes(-5) }, Noon).StartAt);
        Assert.Null(BotLifecycle.Changed(waits, new() { StartAt = Noon.AddDays(2) }, Noon).Warning);
        foreach (var status in Enum.GetValues<BotStatus>().Except([BotStatus.Scheduled]))
        {
            var other = SampleBots.In(status);
            Assert.Same(other, BotLifecycle.Changed(other, new() { BotName = "Other", StartAt = Noon.AddDays(2) }, Noon));
            Assert.Same(other, BotLifecycle.Started(other, traceParent: null));
            Assert.Same(other, BotLifecycle.StartPostponed(other, new(EndReason.MeetingTaken, Text: null)));
            Assert.Same(other, BotLifecycle.StartMissed(other, Noon.AddDays(2)));
        }
    }

    [Fact]
    public void A_bot_that_could_not_start_before_it_would_have_left_ends_with_what_was_in_its_way()
    {
        var bot = SampleBots.Scheduled();
        var tooLate = bot.StartAt!.Value + bot.Leave.MaxDuration;

        Assert.Same(bot, BotLifecycle.StartMissed(bot, tooLate.AddSeconds(-1)));
        Assert.Equal((BotStatus.Failed, EndReason.StartMissed), Ending(BotLifecycle.StartMissed(bot, tooLate)));
        var waited = BotLifecycle.StartMissed(BotLifecycle.StartPostponed(bot, new(EndReason.MeetingTaken, "Bot x is there.")), tooLate);
        Assert.Equal((BotStatus.Failed, EndReason.MeetingTaken), Ending(waited));
        Assert.Equal(
            "It was to start at 2026-03-14 13:00:00Z, and could not before it would have had to leave again. Bot x is there.", BotResponse.Of(waited).Error);

        static (BotStatus, EndReason) Ending(Bot bot) => (bot.Status, bot.Reason!.Value);
    }

    [Fact]
    public void Neither_the_managers_words_nor_another_bots_are_taken_from_a_recorder()
    {
        var bot = SampleBots.In(BotStatus.Joining);

        foreach (var status in new[] { BotStatus.Scheduled, BotStatus.Queued, BotStatus.Launching, BotStatus.Finalizing, BotStatus.Completed, BotStatus.Failed })
            Assert.Same(bot, BotLifecycle.Heard(bot, bot.Says(status, 100)));
        Assert.Same(bot, BotLifecycle.Heard(bot, SampleBots.Queued().Says(BotStatus.Recording, 100)));
    }

    [Fact]
    public void A_warning_of_a_recorder_is_no_end_and_lasts_until_it_says_otherwise()
    {
        var bot = SampleBots.In(BotStatus.Recording);

        var warned = BotLifecycle.Heard(bot, bot.Says(BotStatus.Recording, 110, EndReason.NoAudio) with { Detail = "Track 1 is not heard." });
        var hearing = BotLifecycle.Heard(warned, bot.Says(BotStatus.Recording, 111));
        var late = BotLifecycle.Heard(hearing, bot.Says(BotStatus.Recording, 109, EndReason.NoAudio));

        Assert.Equal(EndReason.NoAudio, BotResponse.Of(warned).Reason);
        Assert.Equal("Track 1 is not heard.", BotResponse.Of(warned).Error);
        Assert.Equal(BotStatus.Recording, warned.Status);
        Assert.Null(warned.Reason);
        Assert.Null(BotResponse.Of(hearing).Reason);
        Assert.Null(BotResponse.Of(hearing).Error);
        Assert.Null(late.Warning);
        Assert.Null(BotLifecycle.Heard(warned, bot.Says(BotStatus.Leaving, 112, EndReason.MeetingEnded)).Warning);
    }

    /// <summary>Every way in which the world can touch a bot.</summary>
    private static Gen<Func<Bot, Bot>> Touch { get; } = Gen.OneOf(
        Gen.Const<Func<Bot, Bot>>(BotLifecycle.LaunchBegun),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.Launched(bot, Noon)),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.LaunchFailed(bot, "no room", Noon)),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.LaunchAbandoned(bot, Noon)),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.StopAsked(bot, Noon)),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.RecorderGone(bot, exit: null)),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.Finalized(bot, Recorded, Noon)),
        Gen.Const<Func<Bot, Bot>>(bot => BotLifecycle.FinalizationFailed(bot, "broken", Noon)),
        Gen.Select(Gen.Enum<BotStatus>(), Gen.Long[90, 120], Gen.Enum<EndReason>(), (status, sequence, reason) =>
            (Func<Bot, Bot>)(bot => BotLifecycle.Heard(bot, bot.Says(status, sequence, reason)))));

    [Fact]
    public void A_terminal_state_is_never_left_and_no_status_ever_goes_back() =>
        Touch.Array[1, 40].Sample(touches =>
        {
            var bot = SampleBots.Queued();
            foreach (var touch in touches)
            {
                var next = touch(bot);
                Assert.True(next.Status >= bot.Status);
                if (bot.Status.IsTerminal())
                    Assert.Equal(bot, next);
                bot = next;
            }
        });

    [Fact]
    public void A_recorder_that_only_guesses_its_reason_leaves_a_recording_that_may_not_be_complete()
    {
        var bot = SampleBots.In(BotStatus.Leaving) with { Reason = EndReason.MeetingEnded, Detail = "The page is no call any more." };

        var gone = BotLifecycle.RecorderGone(bot, new RecorderExit((long)RecorderExitCode.EndedByGuess, OutOfMemory: false, Noon));

        Assert.Equal((EndReason.MeetingEnded, false, bot.Detail), (gone.Reason, gone.EndedCleanly, gone.Error));
    }

    [Theory]
    [InlineData(EndReason.StorageFailed)]
    [InlineData(EndReason.BrowserCrashed)]
    public void A_recording_that_was_cut_short_is_not_complete(EndReason reason) =>
        Assert.False(BotLifecycle.RecorderGone(SampleBots.In(BotStatus.Leaving) with { Reason = reason }, CleanExit).EndedCleanly);

    [Fact]
    public void Messages_that_come_late_twice_or_in_another_order_lead_to_the_same_end() =>
        Gen.Select(Gen.Int[1, 12].SelectMany(Life), Gen.Int[0, 1000]).Sample((life, seed) =>
        {
            var bot = SampleBots.In(BotStatus.Launching);
            var inOrder = life.Aggregate(bot, (known, said) => BotLifecycle.Heard(known, bot.Says(said.Status, said.Sequence, said.Reason)));
            var random = new Random(seed);
            var shuffled = life.Concat(life.Take(random.Next(life.Length))).OrderBy(_ => random.Next())
                .Aggregate(bot, (known, said) => BotLifecycle.Heard(known, bot.Says(said.Status, said.Sequence, said.Reason)));

            Assert.Equal(inOrder, shuffled);
        });

    /// <summary>What one recorder says in its life: statuses only go on, sequences grow, and only its leaving has a reason.</summary>
    private static Gen<(BotStatus Status, long Sequence, EndReason? Reason)[]> Life(int length) =>
        Gen.Select(Gen.Int[(int)BotStatus.Joining, (int)BotStatus.Recording].Array[length], Gen.Bool, (statuses, leaves) =>
        {
            var said = statuses.Order().Select((status, i) => ((BotStatus)status, 100L + i, (EndReason?)null)).ToList();
            if (leaves)
                said.Add((BotStatus.Leaving, 100 + length, EndReason.MeetingEnded));
            return said.ToArray();
        });
}
