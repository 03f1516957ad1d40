using CsCheck;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Reconciling;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Reconciling;

public sealed class ReconciliationPlanTests
{
    private static readonly DateTimeOffset Now = SampleBots.Noon.AddHours(1);

    private static readonly Liveness Active = new(TimeSpan.Zero, TimeSpan.Zero);

    private static Bot Recording { get; } = SampleBots.In(BotStatus.Recording) with { LaunchedAt = SampleBots.Noon };

    [Fact]
    public void A_bot_whose_recorder_runs_is_left_alone() => Assert.Empty(Plan(Recording, RecorderContainerState.Running));

    [Fact]
    public void A_bot_whose_recorder_exited_or_vanished_is_finished()
    {
        var expected = new Reconciliation.Finish(Recording.Id);

        Assert.Equal([expected], Plan(Recording, RecorderContainerState.Exited));
        Assert.Equal([expected], Plan(Recording, container: null));
        Assert.Equal([expected], Plan(Recording, container: null, FolderOf(Recording, SampleBots.Noon)));
    }

    [Theory]
    [InlineData(nameof(RecorderContainerState.Pending))]
    [InlineData(nameof(RecorderContainerState.Unknown))]
    public void A_bot_whose_container_is_pending_or_does_not_answer_is_ended_by_nobody_but_a_user(string name)
    {
        var state = Enum.Parse<RecorderContainerState>(name);
        var longAgo = new Liveness(TimeSpan.FromDays(30), TimeSpan.FromDays(30));

        Assert.Empty(Make([Recording], [ContainerOf(Recording, state)], [], Now.AddDays(30), longAgo));
        Assert.Equal([new Reconciliation.Stop(Recording.Id)], Plan(Recording with { StopRequested = true }, state));
    }

    [Fact]
    public void A_second_container_of_a_session_is_ignored()
    {
        var first = ContainerOf(Recording, RecorderContainerState.Running);

        Assert.Empty(ReconciliationPlan.Make(
            [Recording], [first, first with { State = RecorderContainerState.Exited }], [], [], new Dictionary<SessionId, Liveness> { [Recording.Id] = Active }, Now));
    }

    [Fact]
    public void A_container_missing_from_the_list_right_after_its_launch_does_not_count_as_gone() =>
        Assert.Empty(Plan(Recording with { LaunchedAt = Now - ReconciliationPlan.GoneAfter }, container: null));

    [Fact]
    public void A_container_missing_from_the_list_does_not_count_as_gone_while_its_folder_is_written_to() =>
        Assert.Empty(Plan(Recording, container: null, FolderOf(Recording, Now - ReconciliationPlan.GoneAfter)));

    [Fact]
    public void A_bot_that_vanished_before_its_launch_was_recorded_is_finished()
    {
        var bot = SampleBots.In(BotStatus.Joining);

        Assert.Equal([new Reconciliation.Finish(bot.Id)], Plan(bot, container: null));
    }

    [Fact]
    public void An_interrupted_finalization_is_resumed()
    {
        var bot = SampleBots.In(BotStatus.Finalizing);

        Assert.Equal([new Reconciliation.Finish(bot.Id)], Plan(bot, container: null));
    }

    [Fact]
    public void A_bot_that_still_runs_after_a_stop_request_is_stopped_again()
    {
        var asked = Recording with { StopRequested = true };

        Assert.Equal([new Reconciliation.Stop(asked.Id)], Plan(asked, RecorderContainerState.Running));
    }

    [Fact]
    public void The_container_of_an_ended_bot_is_stopped_and_removed()
    {
        var ended = SampleBots.In(BotStatus.Completed);

        Assert.Equal([new Reconciliation.Stop(ended.Id)], Plan(ended, RecorderContainerState.Running));
        Assert.Equal([new Reconciliation.Finish(ended.Id)], Plan(ended, RecorderContainerState.Exited));
        Assert.Equal([new Reconciliation.Finish(ended.Id)], Plan(ended, RecorderContainerState.Created));
    }

    [Fact]
    public void Chunks_of_a_failed_bot_are_kept()
    {
        var failed = SampleBots.In(BotStatus.Failed);

        Assert.Empty(Plan(failed, container: null, FolderOf(failed, SampleBots.Noon)));
    }

    [Fact]
    public void A_recorder_without_a_record_is_recovered_whether_it_runs_or_was_never_started()
    {
        foreach (var state in new[] { RecorderContainerState.Running, RecorderContainerState.Created })
        {
            Assert.Equal(
                [new Reconciliation.RecoverBot(Recording.Id, Recording.UserId, state)],
                Make([], [ContainerOf(Recording, state)], [FolderOf(Recording, Now)]));
        }
    }

    [Fact]
    public void An_exited_recorder_without_a_record_is_recovered_and_finished() =>
        Assert.Equal(
            [
                new Reconciliation.RecoverBot(Recording.Id, Recording.UserId, RecorderContainerState.Exited),
                new Reconciliation.Finish(Recording.Id),
            ],
            Make([], [ContainerOf(Recording, RecorderContainerState.Exited)], []));

    [Fact]
    public void Chunks_without_a_record_and_a_container_become_a_recording_once_they_are_no_longer_written()
    {
        Assert.Equal(
            [new Reconciliation.RecoverBot(Recording.Id, Recording.UserId, Container: null), new Reconciliation.Finish(Recording.Id)],
            Make([], [], [FolderOf(Recording, SampleBots.Noon)]));
        Assert.Empty(Make([], [], [FolderOf(Recording, Now)]));
        Assert.Empty(Make([], [], [FolderOf(Recording, SampleBots.Noon) with { HasAudio = false }]));
    }

    [Fact]
    public void A_folder_of_another_user_with_the_same_session_id_is_ignored()
    {
        var others = FolderOf(Recording, Now) with { UserId = UserId.Parse("mallory") };

        Assert.Equal([new Reconciliation.Finish(Recording.Id)], Plan(Recording, container: null, others));
    }

    [Fact]
    public void Queued_bots_and_bots_being_launched_are_left_to_the_launcher()
    {
        Assert.Empty(Plan(SampleBots.Queued(), container: null));
        Assert.Empty(Plan(SampleBots.In(BotStatus.Launching), RecorderContainerState.Created));
        Assert.Empty(Plan(SampleBots.In(BotStatus.Launching), container: null));
    }

    [Fact]
    public void A_bot_whose_recorder_runs_is_never_finished_however_the_clock_jumps() =>
        Gen.Select(AnySituation, Gen.Int[-1_000_000, 1_000_000]).Sample((situation, jump) =>
        {
            if (situation is { Bot: not null, Container.State: RecorderContainerState.Running })
            {
                Assert.DoesNotContain(
                    Make([situation.Bot], [situation.Container], situation.Folder is null ? [] : [situation.Folder], Now.AddSeconds(jump), situation.Liveness),
                    action => action is Reconciliation.Finish);
            }
        });

    [Fact]
    public void An_inactive_recorder_counts_as_gone_even_if_the_wall_clock_was_set_back()
    {
        var folder = FolderOf(Recording, Now.AddDays(1));
        var notYet = Active with { Inactive = ReconciliationPlan.GoneAfter };
        var inactive = Active with { Inactive = ReconciliationPlan.GoneAfter + TimeSpan.FromSeconds(1) };

        Assert.Equal([], WithoutContainer(Recording with { LaunchedAt = Now.AddDays(1) }, notYet));
        Assert.Equal([], WithoutContainer(bot: null, notYet));
        Assert.Equal([new Reconciliation.Finish(Recording.Id)], WithoutContainer(Recording with { LaunchedAt = Now.AddDays(1) }, inactive));
        Assert.Equal(
            [new Reconciliation.RecoverBot(Recording.Id, Recording.UserId, Container: null), new Reconciliation.Finish(Recording.Id)],
            WithoutContainer(bot: null, inactive));

        IReadOnlyList<Reconciliation> WithoutContainer(Bot? bot, Liveness liveness) => ReconciliationPlan.Make(
            bot is null ? [] : [bot], [], [folder], [], new Dictionary<SessionId, Liveness> { [Recording.Id] = liveness }, Now);
    }

    [Fact]
    public void An_overdue_and_inactive_recorder_is_stopped()
    {
        var end = Now + Recording.Leave.MaxDuration;
        var inactive = Active with { Inactive = Recording.Leave.WaitingRoomTimeout + ReconciliationPlan.OverdueAfter + TimeSpan.FromSeconds(1) };

        Assert.Equal([new Reconciliation.StopOverdue(Recording.Id)], Plan(Recording, end, inactive));
    }

    [Fact]
    public void A_recorder_observed_running_for_longer_than_allowed_is_stopped_even_if_it_is_active()
    {
        var longest = Recording.Leave.MaxDuration + Recording.Leave.WaitingRoomTimeout + ReconciliationPlan.OverdueAfter;

        Assert.Equal([new Reconciliation.StopOverdue(Recording.Id)], Plan(Recording, Now, Active with { Running = longest + TimeSpan.FromSeconds(1) }));
        Assert.Empty(Plan(Recording, Now, Active with { Running = longest }));
    }

    [Fact]
    public void A_waiting_or_active_recorder_is_never_stopped_however_the_clock_jumps() =>
        Gen.Int[-1_000_000, 1_000_000].Sample(jump => Assert.Empty(
            Plan(Recording, Now.AddSeconds(jump), Active with { Inactive = Recording.Leave.WaitingRoomTimeout + ReconciliationPlan.OverdueAfter })));

    [Fact]
    public void Recordings_without_a_record_are_recovered_after_live_bots()
    {
        var ended = SessionId.New(TimeProvider.System);
        var live = SampleBots.In(BotStatus.Recording);
        FinalSession[] recordings = [RecordingOf(ended), RecordingOf(live.Id), RecordingOf(Recording.Id)];

        Assert.Equal(
            [new Reconciliation.RecoverBot(live.Id, live.UserId, RecorderContainerState.Running), new Reconciliation.RecoverRecording(ended, Recording.UserId)],
            ReconciliationPlan.Make(
                [SampleBots.In(BotStatus.Completed) with { Id = Recording.Id }], [ContainerOf(live, RecorderContainerState.Running)], [], recordings,
                new Dictionary<SessionId, Liveness>(), Now));
    }

    [Fact]
    public void A_second_plan_right_after_the_first_is_empty() =>
        AnySituation.List[0, 6].Sample(situations =>
        {
            var world = situations.ToList();
            foreach (var action in PlanOf(world))
                CarryOut(action, world);

            Assert.Empty(PlanOf(world));
        });

    /// <summary>The record, container, folder, recording and observations of one bot, in every combination.</summary>
    private sealed record Situation(SessionId Id, Bot? Bot, RecorderContainer? Container, SessionOnDisk? Folder, bool IsRecorded, Liveness Liveness);

    private static Gen<Situation> AnySituation { get; } = Gen.Select(
        Gen.Enum<BotStatus>().Nullable(),
        Gen.Bool,
        Gen.Int[0, 120].Nullable(),
        Gen.Enum<RecorderContainerState>().Nullable(),
        Gen.Select(Gen.Bool, Gen.Int[0, 120]).Nullable(),
        Gen.Select(Gen.Bool, Gen.Int[0, 10], Gen.Int[0, 10]),
        (status, stop, launchedAgo, state, folder, more) =>
        {
            var sample = SampleBots.Queued();
            return new Situation(
                sample.Id,
                status is { } known
                    ? sample with { Status = known, StopRequested = stop, LaunchedAt = launchedAgo is { } ago ? Now.AddSeconds(-ago) : null }
                    : null,
                state is { } seen ? ContainerOf(sample, seen) : null,
                folder is (var hasAudio, var writtenAgo) ? FolderOf(sample, Now.AddSeconds(-writtenAgo)) with { HasAudio = hasAudio } : null,
                more.Item1,
                new(TimeSpan.FromHours(more.Item2), TimeSpan.FromHours(more.Item3)));
        });

    private static IReadOnlyList<Reconciliation> PlanOf(IReadOnlyCollection<Situation> world) => ReconciliationPlan.Make(
        [.. world.Select(situation => situation.Bot).OfType<Bot>()],
        [.. world.Select(situation => situation.Container).OfType<RecorderContainer>()],
        [.. world.Select(situation => situation.Folder).OfType<SessionOnDisk>()],
        [.. world.Where(situation => situation.IsRecorded).Select(situation => RecordingOf(situation.Id))],
        world.Where(situation => situation.Bot is not null || situation.Folder is not null).ToDictionary(situation => situation.Id, situation => situation.Liveness),
        Now);

    /// <summary>Applies an action to the situations, as the reconciler does.</summary>
    private static void CarryOut(Reconciliation action, List<Situation> world)
    {
        var at = world.FindIndex(situation => situation.Id == action.Id);
        world[at] = action switch
        {
            Reconciliation.RecoverBot recovered => world[at] with
            {
                Bot = SampleBots.In(BotStatus.Launching) with
                {
                    Id = recovered.Id,
                    UserId = recovered.UserId,
                    LaunchedAt = recovered.Container is RecorderContainerState.Created ? null : SampleBots.Noon,
                },
                Liveness = Active,
            },
            Reconciliation.RecoverRecording recovered => world[at] with { Bot = SampleBots.In(BotStatus.Completed) with { Id = recovered.Id, UserId = recovered.UserId } },
            // A stopped recorder exits, and its exit event finishes the bot.
            Reconciliation.Finish or Reconciliation.Stop or Reconciliation.StopOverdue => world[at] with
            {
                Bot = world[at].Bot! with { Status = BotStatus.Completed },
                Container = null,
                Folder = null,
            },
            _ => throw new InvalidOperationException($"Unknown action: {action}."),
        };
    }

    private static IReadOnlyList<Reconciliation> Plan(Bot bot, RecorderContainerState? container, SessionOnDisk? folder = null) =>
        Make([bot], container is { } state ? [ContainerOf(bot, state)] : [], folder is null ? [] : [folder]);

    private static IReadOnlyList<Reconciliation> Plan(Bot bot, DateTimeOffset now, Liveness liveness) =>
        Make([bot], [ContainerOf(bot, RecorderContainerState.Running)], [], now, liveness);

    /// <summary>With these observations of each recorder.</summary>
    private static IReadOnlyList<Reconciliation> Make(
        IReadOnlyCollection<Bot> known, IReadOnlyCollection<RecorderContainer> containers, IReadOnlyCollection<SessionOnDisk> folders,
        DateTimeOffset? now = null, Liveness? liveness = null) => ReconciliationPlan.Make(
            known, containers, folders, recordings: [], containers.ToDictionary(container => container.Id, _ => liveness ?? Active), now ?? Now);

    private static RecorderContainer ContainerOf(Bot bot, RecorderContainerState state) => new(bot.Id, bot.UserId, state);

    private static FinalSession RecordingOf(SessionId id) => new(id, Recording.UserId, Now, HasManifest: true);

    private static SessionOnDisk FolderOf(Bot bot, DateTimeOffset writtenAt) => new(bot.Id, bot.UserId, HasAudio: true, writtenAt);
}
