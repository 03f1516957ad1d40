using System.Reflection;
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
    public void Bot_that_records_and_leaves_completes_with_the_reason_of_its_recorder()
    {
        var bot = SampleBots.Queued();
        bot = BotLifecycle.Launched(BotLifecycle.LaunchBegun(bot), Noon);
        foreach (var (status, sequence) in new[] { (BotStatus.Joining, 100L), (BotStatus.Waiting, 101), (BotStatus.Recording, 102) })
            bot = BotLifecycle.StatusReceived(bot, bot.Says(status, sequence));
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 103, EndReason.EveryoneLeft));
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
    public void Recorder_that_exits_without_a_reason_gets_one_from_its_exit(long exitCode, bool outOfMemory, EndReason reason)
    {
        var bot = BotLifecycle.RecorderGone(SampleBots.In(BotStatus.Recording), new RecorderExit(exitCode, outOfMemory, Noon));

        Assert.Equal(BotStatus.Finalizing, bot.Status);
        Assert.Equal(reason, bot.Reason);
        Assert.False(bot.EndedCleanly);
        Assert.NotNull(bot.Error);
    }

    [Fact]
    public void Overdue_bot_ends_with_max_duration_whatever_its_recorder_reports()
    {
        var stopped = BotLifecycle.Overdue(SampleBots.In(BotStatus.Recording));
        var says = BotLifecycle.StatusReceived(stopped, stopped.Says(BotStatus.Leaving, 103, EndReason.StopRequested));
        var left = BotLifecycle.RecorderGone(says, CleanExit);
        var killed = BotLifecycle.RecorderGone(stopped, new RecorderExit(137, OutOfMemory: false, Noon));

        Assert.True(stopped.StopRequested);
        Assert.Equal((EndReason.MaxDuration, true), (left.Reason!.Value, left.EndedCleanly));
        Assert.Equal((EndReason.MaxDuration, false), (killed.Reason!.Value, killed.EndedCleanly));
    }

    [Fact]
    public void Recorder_killed_while_leaving_keeps_its_reason_but_did_not_end_cleanly()
    {
        var bot = SampleBots.In(BotStatus.Recording);
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 100, EndReason.MeetingEnded));
        bot = BotLifecycle.RecorderGone(bot, new RecorderExit(137, OutOfMemory: false, Noon));

        Assert.Equal(EndReason.MeetingEnded, bot.Reason);
        Assert.False(bot.EndedCleanly);
    }

    [Fact]
    public void Bot_that_the_cluster_ended_has_the_reason_of_the_cluster_although_its_recorder_took_SIGTERM_for_a_stop()
    {
        var evicted = CleanExit with { Interruption = new(EndReason.Evicted, "The node was low on memory.") };
        var recording = SampleBots.In(BotStatus.Recording);
        var left = BotLifecycle.StatusReceived(recording, recording.Says(BotStatus.Leaving, 100, EndReason.StopRequested));

        var bot = BotLifecycle.RecorderGone(left, evicted);

        Assert.Equal((EndReason.Evicted, "The node was low on memory.", false), (bot.Reason!.Value, bot.Error, bot.EndedCleanly));
        Assert.Equal(EndReason.Evicted, BotLifecycle.RecorderGone(recording, evicted).Reason);
    }

    [Fact]
    public void Bot_that_was_stopped_or_had_a_reason_of_its_own_keeps_it_when_the_cluster_ends_its_pod()
    {
        var evicted = CleanExit with { Interruption = new(EndReason.Evicted, "The node was low on memory.") };
        var recording = SampleBots.In(BotStatus.Recording);
        var stopped = BotLifecycle.StopAsked(recording, Noon);
        var over = BotLifecycle.StatusReceived(recording, recording.Says(BotStatus.Leaving, 100, EndReason.MeetingEnded));

        Assert.Equal(EndReason.StopRequested, BotLifecycle.RecorderGone(BotLifecycle.StatusReceived(stopped, stopped.Says(BotStatus.Leaving, 100, EndReason.StopRequested)), evicted).Reason);
        Assert.Equal(EndReason.MeetingEnded, BotLifecycle.RecorderGone(over, evicted).Reason);
    }

    [Fact]
    public void Bot_that_was_not_admitted_fails_with_the_reason_of_its_recorder()
    {
        var bot = SampleBots.In(BotStatus.Waiting);
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 100, EndReason.DeniedByHost));
        bot = BotLifecycle.Finalized(
            BotLifecycle.RecorderGone(bot, CleanExit), new FinalizationResult.NothingRecorded(), Noon);

        Assert.Equal((BotStatus.Failed, EndReason.DeniedByHost), (bot.Status, bot.Reason!.Value));
    }

    [Fact]
    public void Bot_stopped_while_waiting_does_not_keep_the_remaining_wait_as_its_error()
    {
        var bot = SampleBots.In(BotStatus.Waiting);
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Waiting, 100) with { Detail = "Waits to be let in, for 585 s more." });
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 101, EndReason.StopRequested));
        bot = BotLifecycle.Finalized(
            BotLifecycle.RecorderGone(bot, CleanExit), new FinalizationResult.NothingRecorded(), Noon);

        Assert.Equal((BotStatus.Cancelled, EndReason.StopRequested, null), (bot.Status, bot.Reason!.Value, bot.Error));
    }

    [Theory]
    [InlineData(BotStatus.Launching)]
    [InlineData(BotStatus.Joining)]
    [InlineData(BotStatus.Waiting)]
    public void Bot_stopped_before_it_is_in_the_call_is_cancelled_even_if_its_recorder_had_to_be_killed(BotStatus status)
    {
        var stopped = BotLifecycle.StopAsked(SampleBots.In(status), Noon);
        var gone = BotLifecycle.RecorderGone(stopped, new RecorderExit(137, OutOfMemory: false, Noon));
        var ended = BotLifecycle.Finalized(gone, new FinalizationResult.NothingRecorded(), Noon);

        Assert.Equal((BotStatus.Cancelled, EndReason.StopRequested), (ended.Status, ended.Reason!.Value));
        Assert.Equal(BotStatus.Failed, BotLifecycle.Finalized(gone, new FinalizationResult.NothingRecorded { HasUnreadableChunks = true }, Noon).Status);
    }

    [Fact]
    public void Bot_stopped_in_the_call_without_any_audio_has_failed_and_one_that_was_not_stopped_too()
    {
        var recording = BotLifecycle.StopAsked(SampleBots.In(BotStatus.Recording) with { RecordingAt = Noon }, Noon);
        recording = BotLifecycle.StatusReceived(recording, recording.Says(BotStatus.Leaving, 101, EndReason.StopRequested));
        var overdue = BotLifecycle.Overdue(SampleBots.In(BotStatus.Waiting));

        foreach (var bot in new[] { recording, overdue })
            Assert.Equal(BotStatus.Failed, BotLifecycle.Finalized(BotLifecycle.RecorderGone(bot, CleanExit), new FinalizationResult.NothingRecorded(), Noon).Status);
    }

    [Fact]
    public void Stop_ends_a_queued_bot_at_once_and_lets_a_recording_bot_leave_first()
    {
        Assert.Equal(
            (BotStatus.Cancelled, EndReason.StopRequested),
            Ending(BotLifecycle.StopAsked(SampleBots.Queued(), Noon)));
        var recording = BotLifecycle.StopAsked(SampleBots.In(BotStatus.Recording), Noon);
        Assert.Equal((BotStatus.Recording, true), (recording.Status, recording.StopRequested));

        static (BotStatus, EndReason) Ending(Bot bot) => (bot.Status, bot.Reason!.Value);
    }

    [Fact]
    public void Stop_ends_a_scheduled_bot_at_once_and_clears_its_warning()
    {
        var bot = BotLifecycle.StartPostponed(SampleBots.Scheduled(), new(EndReason.MeetingTaken, "Another is there."));
        var stopped = BotResponse.Of(BotLifecycle.StopAsked(bot, Noon));

        Assert.Equal((BotStatus.Cancelled, EndReason.StopRequested, (string?)null), (stopped.Status, stopped.Reason!.Value, stopped.Error));
    }

    [Fact]
    public void Changes_of_the_schedule_apply_to_scheduled_bots_only_and_a_start_in_the_past_means_now()
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
    public void Bot_can_be_renamed_at_any_time_and_recorders_go_on_using_the_name_with_which_it_joined()
    {
        var change = new ChangeBotRequest { BotName = "Other", Metadata = new Dictionary<string, string> { ["case"] = "43" } };
        foreach (var status in Enum.GetValues<BotStatus>())
        {
            var changed = BotLifecycle.Changed(SampleBots.In(status), change, Noon);
            Assert.Equal(("Other", "43", status), (BotResponse.Of(changed).BotName, changed.Metadata["case"], changed.Status));
            Assert.Equal(status <= BotStatus.Queued ? "Other" : SampleBots.Queued().BotName, changed.BotName);
        }
    }

    [Fact]
    public void Missed_start_fails_with_the_obstacle_as_its_reason()
    {
        var bot = SampleBots.Scheduled();
        var tooLate = bot.StartAt!.Value + bot.Leave.MaxDuration;

        Assert.Same(bot, BotLifecycle.StartMissed(bot, tooLate.AddSeconds(-1)));
        Assert.Equal((BotStatus.Failed, EndReason.StartMissed), Ending(BotLifecycle.StartMissed(bot, tooLate)));
        var waited = BotLifecycle.StartMissed(BotLifecycle.StartPostponed(bot, new(EndReason.MeetingTaken, "Bot x is there.")), tooLate);
        Assert.Equal((BotStatus.Failed, EndReason.MeetingTaken), Ending(waited));
        Assert.Equal(
            "The start was scheduled for 2026-03-14 13:00:00Z, and was not possible before the maximum duration had passed. Bot x is there.", BotResponse.Of(waited).Error);

        static (BotStatus, EndReason) Ending(Bot bot) => (bot.Status, bot.Reason!.Value);
    }

    [Fact]
    public void Status_that_a_recorder_does_not_report_or_of_another_bot_is_ignored()
    {
        var bot = SampleBots.In(BotStatus.Joining);

        foreach (var status in new[] { BotStatus.Scheduled, BotStatus.Queued, BotStatus.Launching, BotStatus.Finalizing, BotStatus.Completed, BotStatus.Failed, BotStatus.Cancelled })
            Assert.Same(bot, BotLifecycle.StatusReceived(bot, bot.Says(status, 100)));
        Assert.Same(bot, BotLifecycle.StatusReceived(bot, SampleBots.Queued().Says(BotStatus.Recording, 100)));
    }

    [Theory]
    [InlineData(EndReason.MeetingTaken)]
    [InlineData(EndReason.UserOverQuota)]
    [InlineData(EndReason.StartMissed)]
    [InlineData(EndReason.RecorderCrashed)]
    [InlineData(EndReason.OutOfMemory)]
    [InlineData(EndReason.LaunchFailed)]
    [InlineData(EndReason.FinalizationFailed)]
    public void Reason_that_only_a_manager_can_find_is_ignored_in_a_status(EndReason reason)
    {
        var bot = SampleBots.In(BotStatus.Recording);

        Assert.Same(bot, BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 110, reason)));
        Assert.Same(bot, BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Recording, 110, reason)));
        Assert.Same(bot, BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 110, EndReason.NoAudio)));
    }

    [Fact]
    public void Warning_does_not_end_a_bot_and_lasts_until_a_newer_status_without_it()
    {
        var bot = SampleBots.In(BotStatus.Recording);

        var warned = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Recording, 110, EndReason.NoAudio) with { Detail = "Track 1 is not heard." });
        var hearing = BotLifecycle.StatusReceived(warned, bot.Says(BotStatus.Recording, 111));
        var late = BotLifecycle.StatusReceived(hearing, bot.Says(BotStatus.Recording, 109, EndReason.NoAudio));

        Assert.Equal(EndReason.NoAudio, BotResponse.Of(warned).Reason);
        Assert.Equal("Track 1 is not heard.", BotResponse.Of(warned).Error);
        Assert.Equal(BotStatus.Recording, warned.Status);
        Assert.Null(warned.Reason);
        Assert.Null(BotResponse.Of(hearing).Reason);
        Assert.Null(BotResponse.Of(hearing).Error);
        Assert.Null(late.Warning);
        Assert.Null(BotLifecycle.StatusReceived(warned, bot.Says(BotStatus.Leaving, 112, EndReason.MeetingEnded)).Warning);
    }

    [Fact]
    public void Latest_warning_is_remembered_after_it_has_cleared()
    {
        var bot = SampleBots.In(BotStatus.Recording);

        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Recording, 110, EndReason.NoAudio) with { Detail = "Track 1 is not heard." });
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Recording, 111));
        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, 112, EndReason.MeetingEnded));

        Assert.Null(bot.Warning);
        Assert.Equal(new BotWarning(EndReason.NoAudio, "Track 1 is not heard."), bot.LastWarning);
    }

    [Fact]
    public void Ended_bot_shows_missing_seconds_and_warning_of_its_recording()
    {
        var warning = new RecordingWarning(EndReason.NoAudio, "52.9 of 55.0 s are missing. Track 1 is not heard.");
        var recording = new RecordingInfo("ogg", 1000, 55, Complete: false) { MissingSeconds = 52.9, Warning = warning };

        var bot = BotLifecycle.Finalized(SampleBots.In(BotStatus.Finalizing), new FinalizationResult.Recorded(recording, 6, 2.1), Noon);

        var shown = BotResponse.Of(bot).Recording!;
        Assert.Equal((false, 52.9), (shown.Complete, shown.MissingSeconds));
        Assert.Equal(warning, shown.Warning);
    }

    /// <summary>Every operation of <see cref="BotLifecycle"/> with any arguments, by its name.</summary>
    private static IReadOnlyDictionary<string, Gen<Func<Bot, Bot>>> Operations { get; } = new Dictionary<string, Gen<Func<Bot, Bot>>>
    {
        [nameof(BotLifecycle.Changed)] = Gen.Int[-60, 60].Select(Gen.Bool, (minutes, isRescheduled) => Operation(bot => BotLifecycle.Changed(
            bot, new() { BotName = "Other", StartAt = isRescheduled ? Noon.AddMinutes(minutes) : null }, Noon))),
        [nameof(BotLifecycle.Started)] = Gen.Const(Operation(bot => BotLifecycle.Started(bot, traceParent: null))),
        [nameof(BotLifecycle.StartPostponed)] = Gen.Enum<EndReason>().Select(reason => Operation(bot => BotLifecycle.StartPostponed(bot, new(reason, "Wait.")))),
        [nameof(BotLifecycle.StartMissed)] = Gen.Int[0, 48].Select(hours => Operation(bot => BotLifecycle.StartMissed(bot, Noon.AddHours(hours)))),
        [nameof(BotLifecycle.LaunchBegun)] = Gen.Const(Operation(BotLifecycle.LaunchBegun)),
        [nameof(BotLifecycle.Launched)] = Gen.Const(Operation(bot => BotLifecycle.Launched(bot, Noon))),
        [nameof(BotLifecycle.ContainerSeen)] = Gen.Bool.Select(isRunning => Operation(
            bot => BotLifecycle.ContainerSeen(bot, isRunning ? null : new(EndReason.ContainerPending, "No node has room.")))),
        [nameof(BotLifecycle.LaunchFailed)] = Gen.Const(Operation(bot => BotLifecycle.LaunchFailed(bot, "no room", Noon))),
        [nameof(BotLifecycle.LaunchAbandoned)] = Gen.Const(Operation(bot => BotLifecycle.LaunchAbandoned(bot, Noon))),
        [nameof(BotLifecycle.StatusReceived)] = Gen.Select(Gen.Enum<BotStatus>(), Gen.Long[90, 120], Gen.Enum<EndReason>(), (status, sequence, reason) =>
            Operation(bot => BotLifecycle.StatusReceived(bot, bot.Says(status, sequence, reason)))),
        [nameof(BotLifecycle.Heard)] = Gen.Int[0, 5].Select(second => Operation(bot => BotLifecycle.Heard(bot, new("track:1", second, second + 1, Level: -20, "Ana")))),
        [nameof(BotLifecycle.Seen)] = Gen.Bool.Select(isPresent => Operation(
            bot => BotLifecycle.Seen(bot, new("Ana", Noon.ToUnixTimeMilliseconds(), isPresent)))),
        [nameof(BotLifecycle.Spoke)] = Gen.Bool.Select(isSpeaking => Operation(
            bot => BotLifecycle.Spoke(bot, new("track:1", Noon.ToUnixTimeMilliseconds(), isSpeaking)))),
        [nameof(BotLifecycle.StopAsked)] = Gen.Const(Operation(bot => BotLifecycle.StopAsked(bot, Noon))),
        [nameof(BotLifecycle.Overdue)] = Gen.Const(Operation(BotLifecycle.Overdue)),
        [nameof(BotLifecycle.OverStorageLimit)] = Gen.Const(Operation(bot => BotLifecycle.OverStorageLimit(bot, "too large"))),
        [nameof(BotLifecycle.RecorderGone)] = Exit.Select(exit => Operation(bot => BotLifecycle.RecorderGone(bot, exit))),
        [nameof(BotLifecycle.FinalizationBegun)] = Exit.Select(exit => Operation(bot => BotLifecycle.FinalizationBegun(bot, exit))),
        [nameof(BotLifecycle.Finalized)] = Gen.Bool.Select(isRecorded => Operation(bot =>
            BotLifecycle.Finalized(bot, isRecorded ? Recorded : new FinalizationResult.NothingRecorded(), Noon))),
        [nameof(BotLifecycle.EndFailed)] = Gen.Enum<FailureCause>().Select(cause => Operation(bot => BotLifecycle.EndFailed(bot, "It hung.", cause, Noon))),
        [nameof(BotLifecycle.FinalizationRequested)] = Gen.Const(Operation(bot => BotLifecycle.FinalizationRequested(bot, Noon))),
        [nameof(BotLifecycle.FinalizationFailed)] = Gen.Const(Operation(bot => BotLifecycle.FinalizationFailed(bot, "broken", Noon))),
    };

    private static long[] ExitCodes { get; } = [0, 2, 3, 4, 137, 139];

    private static Gen<RecorderExit?> Exit => Gen.Select(Gen.Bool, Gen.Int[0, 5].Select(i => ExitCodes[i]), Gen.Bool, (isKnown, exitCode, outOfMemory) =>
        isKnown ? new RecorderExit(exitCode, outOfMemory, Noon) : null);

    private static Func<Bot, Bot> Operation(Func<Bot, Bot> operation) => operation;

    [Fact]
    public void Generated_histories_use_every_operation() => Assert.Equal(
        typeof(BotLifecycle).GetMethods(BindingFlags.Public | BindingFlags.Static).Select(method => method.Name).Order(StringComparer.Ordinal),
        Operations.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Terminal_status_is_left_only_by_another_request_to_finalize_and_no_other_status_goes_back() =>
        Gen.Select(Gen.Enum<BotStatus>(), Gen.OneOf([.. Operations.Values]).Array[1, 40]).Sample((status, operations) =>
        {
            var bot = status is BotStatus.Scheduled ? SampleBots.Scheduled() : SampleBots.In(status);
            foreach (var operation in operations)
            {
                var next = operation(bot);
                var isReopened = bot.CanBeFinalizedAgain && next.Status is BotStatus.Finalizing;
                Assert.True(next.Status >= bot.Status || isReopened);
                Assert.True(!next.Status.IsTerminal() || next.FailedEnd is null);
                if (bot.Status.IsTerminal() && !isReopened)
                    Assert.Equal(bot, next with { RenamedTo = bot.RenamedTo, Metadata = bot.Metadata });
                bot = next;
            }
        });

    [Fact]
    public void Bot_that_was_stopped_for_its_files_ends_with_that_reason_and_the_sizes()
    {
        var bot = BotLifecycle.OverStorageLimit(SampleBots.In(BotStatus.Recording), "The recorder's files took 900 MB.");

        bot = BotLifecycle.StatusReceived(bot, bot.Says(BotStatus.Leaving, bot.LastSequence + 1, EndReason.StopRequested));
        bot = BotLifecycle.RecorderGone(bot, new RecorderExit((long)RecorderExitCode.Ended, OutOfMemory: false, Noon));

        Assert.Equal((EndReason.StorageFailed, false, "The recorder's files took 900 MB."), (bot.Reason, bot.EndedCleanly, bot.Error));
    }

    [Fact]
    public void Guessed_end_reason_leaves_the_recording_marked_as_possibly_incomplete()
    {
        var bot = SampleBots.In(BotStatus.Leaving) with { Reason = EndReason.MeetingEnded, Detail = "The page is no call any more." };

        var gone = BotLifecycle.RecorderGone(bot, new RecorderExit((long)RecorderExitCode.EndedByGuess, OutOfMemory: false, Noon));

        Assert.Equal((EndReason.MeetingEnded, false, bot.Detail), (gone.Reason, gone.EndedCleanly, gone.Error));
    }

    [Theory]
    [InlineData(EndReason.StorageFailed)]
    [InlineData(EndReason.BrowserCrashed)]
    public void Recording_cut_short_did_not_end_cleanly(EndReason reason) =>
        Assert.False(BotLifecycle.RecorderGone(SampleBots.In(BotStatus.Leaving) with { Reason = reason }, CleanExit).EndedCleanly);

    [Fact]
    public void Late_repeated_and_reordered_messages_converge() =>
        Gen.Select(Gen.Int[1, 12].SelectMany(Life), Gen.Int[0, 1000]).Sample((life, seed) =>
        {
            var bot = SampleBots.In(BotStatus.Launching);
            var inOrder = life.Aggregate(bot, (known, said) => BotLifecycle.StatusReceived(known, bot.Says(said.Status, said.Sequence, said.Reason)));
            var random = new Random(seed);
            var shuffled = life.Concat(life.Take(random.Next(life.Length))).OrderBy(_ => random.Next())
                .Aggregate(bot, (known, said) => BotLifecycle.StatusReceived(known, bot.Says(said.Status, said.Sequence, said.Reason)));

            Assert.Equal(inOrder, shuffled);
        });

    /// <summary>The messages of one recorder: statuses and sequences only increase, and only leaving has a reason.</summary>
    private static Gen<(BotStatus Status, long Sequence, EndReason? Reason)[]> Life(int length) =>
        Gen.Select(Gen.Int[(int)BotStatus.Joining, (int)BotStatus.Recording].Array[length], Gen.Bool, (statuses, leaves) =>
        {
            var said = statuses.Order().Select((status, i) => ((BotStatus)status, 100L + i, (EndReason?)null)).ToList();
            if (leaves)
                said.Add((BotStatus.Leaving, 100 + length, EndReason.MeetingEnded));
            return said.ToArray();
        });
}
