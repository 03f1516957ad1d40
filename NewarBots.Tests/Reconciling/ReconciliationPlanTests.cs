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

    private static readonly Liveness JustSeen = new(TimeSpan.Zero, TimeSpan.Zero);

    private static Bot Recording { get; } = SampleBots.In(BotStatus.Recording) with { LaunchedAt = SampleBots.Noon };

    [Fact]
    public void A_bot_whose_recorder_runs_is_left_alone() => Assert.Empty(Plan(Recording, RecorderContainerState.Running));

    [Fact]
    public void A_bot_whose_recorder_exited_or_vanished_while_nobody_watched_is_taken_to_its_end()
    {
        var expected = new Reconciliation.TakeToItsEnd(Recording.Id);

        Assert.Equal([expected], Plan(Recording, RecorderContainerState.Exited));
        Assert.Equal([expected], Plan(Recording, container: null));
        Assert.Equal([expected], Plan(Recording, container: null, FolderOf(Recording, SampleBots.Noon)));
    }

    [Fact]
    public void A_container_that_is_not_listed_right_after_its_launch_is_no_proof_of_its_end() =>
        Assert.Empty(Plan(Recording with { LaunchedAt = Now - ReconciliationPlan.Doubt }, container: null));

    [Fact]
    public void A_container_that_is_not_listed_while_its_folder_is_written_to_is_no_proof_of_its_end() =>
        Assert.Empty(Plan(Recording, container: null, FolderOf(Recording, Now - ReconciliationPlan.Doubt)));

    [Fact]
    public void A_bot_that_spoke_before_its_launch_was_on_record_and_then_vanished_is_taken_to_its_end()
    {
        var bot = SampleBots.In(BotStatus.Joining);

        Assert.Equal([new Reconciliation.TakeToItsEnd(bot.Id)], Plan(bot, container: null));
    }

    [Fact]
    public void A_finalization_that_was_interrupted_goes_on()
    {
        var bot = SampleBots.In(BotStatus.Finalizing);

        Assert.Equal([new Reconciliation.TakeToItsEnd(bot.Id)], Plan(bot, container: null));
    }

    [Fact]
    public void A_bot_that_was_asked_to_stop_and_still_runs_is_asked_again()
    {
        var asked = Recording with { StopRequested = true };

        Assert.Equal([new Reconciliation.Stop(asked.Id)], Plan(asked, RecorderContainerState.Running));
    }

    [Fact]
    public void What_an_ended_bot_has_left_in_the_engine_is_stopped_and_cleared_away()
    {
        var ended = SampleBots.In(BotStatus.Completed);

        Assert.Equal([new Reconciliation.Stop(ended.Id)], Plan(ended, RecorderContainerState.Running));
        Assert.Equal([new Reconciliation.TakeToItsEnd(ended.Id)], Plan(ended, RecorderContainerState.Exited));
        Assert.Equal([new Reconciliation.TakeToItsEnd(ended.Id)], Plan(ended, RecorderContainerState.Created));
    }

    [Fact]
    public void The_chunks_of_an_ended_bot_that_could_not_be_put_together_stay()
    {
        var failed = SampleBots.In(BotStatus.Failed);

        Assert.Empty(Plan(failed, container: null, FolderOf(failed, SampleBots.Noon)));
    }

    [Fact]
    public void A_recorder_that_no_record_knows_is_adopted_whether_it_runs_or_was_never_started()
    {
        foreach (var state in new[] { RecorderContainerState.Running, RecorderContainerState.Created })
        {
            Assert.Equal(
                [new Reconciliation.Adopt(Recording.Id, Recording.UserId, state)],
                Make([], [ContainerOf(Recording, state)], [FolderOf(Recording, Now)]));
        }
    }

    [Fact]
    public void An_exited_recorder_that_no_record_knows_is_adopted_and_taken_to_its_end() =>
        Assert.Equal(
            [
                new Reconciliation.Adopt(Recording.Id, Recording.UserId, RecorderContainerState.Exited),
                new Reconciliation.TakeToItsEnd(Recording.Id),
            ],
            Make([], [ContainerOf(Recording, RecorderContainerState.Exited)], []));

    [Fact]
    public void Chunks_that_no_record_and_no_container_knows_become_a_recording_once_nobody_writes_them_any_more()
    {
        Assert.Equal(
            [new Reconciliation.Adopt(Recording.Id, Recording.UserId, Container: null), new Reconciliation.TakeToItsEnd(Recording.Id)],
            Make([], [], [FolderOf(Recording, SampleBots.Noon)]));
        Assert.Empty(Make([], [], [FolderOf(Recording, Now)]));
        Assert.Empty(Make([], [], [FolderOf(Recording, SampleBots.Noon) with { HasAudio = false }]));
    }

    [Fact]
    public void Another_users_folder_of_the_same_name_says_nothing_about_a_bot()
    {
        var others = FolderOf(Recording, Now) with { UserId = UserId.Parse("mallory") };

        Assert.Equal([new Reconciliation.TakeToItsEnd(Recording.Id)], Plan(Recording, container: null, others));
    }

    [Fact]
    public void Queued_bots_and_launches_under_way_are_the_launchers_own()
    {
        Assert.Empty(Plan(SampleBots.Queued(), container: null));
        Assert.Empty(Plan(SampleBots.In(BotStatus.Launching), RecorderContainerState.Created));
        Assert.Empty(Plan(SampleBots.In(BotStatus.Launching), container: null));
    }

    [Fact]
    public void However_the_clock_jumps_a_bot_whose_recorder_runs_is_not_declared_dead() =>
        Gen.Select(AnyTrio, Gen.Int[-1_000_000, 1_000_000]).Sample((trio, jump) =>
        {
            if (trio is { Bot: not null, Container.State: RecorderContainerState.Running })
            {
                Assert.DoesNotContain(
                    Make([trio.Bot], [trio.Container], trio.Folder is null ? [] : [trio.Folder], Now.AddSeconds(jump), trio.Signs),
                    action => action is Reconciliation.TakeToItsEnd);
            }
        });

    [Fact]
    public void However_far_the_wall_clock_was_set_back_the_doubt_ends_by_looking_again()
    {
        var folder = FolderOf(Recording, Now.AddDays(1));
        var doubted = JustSeen with { Silent = ReconciliationPlan.Doubt };
        var silent = JustSeen with { Silent = ReconciliationPlan.Doubt + TimeSpan.FromSeconds(1) };

        Assert.Equal([], WithoutContainer(Recording with { LaunchedAt = Now.AddDays(1) }, doubted));
        Assert.Equal([], WithoutContainer(bot: null, doubted));
        Assert.Equal([new Reconciliation.TakeToItsEnd(Recording.Id)], WithoutContainer(Recording with { LaunchedAt = Now.AddDays(1) }, silent));
        Assert.Equal(
            [new Reconciliation.Adopt(Recording.Id, Recording.UserId, Container: null), new Reconciliation.TakeToItsEnd(Recording.Id)],
            WithoutContainer(bot: null, silent));

        IReadOnlyList<Reconciliation> WithoutContainer(Bot? bot, Liveness signs) => ReconciliationPlan.Make(
            bot is null ? [] : [bot], [], [folder], [], new Dictionary<SessionId, Liveness> { [Recording.Id] = signs }, Now);
    }

    [Fact]
    public void A_recorder_that_should_be_gone_and_gives_no_sign_of_life_is_stopped()
    {
        var end = Now + Recording.Leave.MaxDuration;
        var silent = JustSeen with { Silent = Recording.Leave.WaitingRoomTimeout + ReconciliationPlan.OverdueAfter + TimeSpan.FromSeconds(1) };

        Assert.Equal([new Reconciliation.StopOverdue(Recording.Id)], Plan(Recording, end, silent));
    }

    [Fact]
    public void A_recorder_that_was_seen_running_for_longer_than_it_may_is_stopped_whatever_it_says_and_the_wall_clock()
    {
        var longest = Recording.Leave.MaxDuration + Recording.Leave.WaitingRoomTimeout + ReconciliationPlan.OverdueAfter;

        Assert.Equal([new Reconciliation.StopOverdue(Recording.Id)], Plan(Recording, Now, JustSeen with { Seen = longest + TimeSpan.FromSeconds(1) }));
        Assert.Empty(Plan(Recording, Now, JustSeen with { Seen = longest }));
    }

    [Fact]
    public void However_far_the_wall_clock_jumps_a_recorder_that_waits_or_speaks_is_not_stopped() =>
        Gen.Int[-1_000_000, 1_000_000].Sample(jump => Assert.Empty(
            Plan(Recording, Now.AddSeconds(jump), JustSeen with { Silent = Recording.Leave.WaitingRoomTimeout + ReconciliationPlan.OverdueAfter })));

    [Fact]
    public void A_recording_that_no_record_knows_becomes_one_after_all_that_lives()
    {
        var ended = SessionId.New(TimeProvider.System);
        var lives = SampleBots.In(BotStatus.Recording);
        FinalSession[] recordings = [RecordingOf(ended), RecordingOf(lives.Id), RecordingOf(Recording.Id)];

        Assert.Equal(
            [new Reconciliation.Adopt(lives.Id, lives.UserId, RecorderContainerState.Running), new Reconciliation.Recall(ended, Recording.UserId)],
            ReconciliationPlan.Make(
                [SampleBots.In(BotStatus.Completed) with { Id = Recording.Id }], [ContainerOf(lives, RecorderContainerState.Running)], [], recordings,
                new Dictionary<SessionId, Liveness>(), Now));
    }

    [Fact]
    public void A_second_plan_right_after_the_first_is_empty() =>
        AnyTrio.List[0, 6].Sample(trios =>
        {
            var world = trios.ToList();
            foreach (var action in PlanOf(world))
                CarryOut(action, world);

            Assert.Empty(PlanOf(world));
        });

    /// <summary>What may be known and seen of one bot, in every combination.</summary>
    private sealed record Trio(SessionId Id, Bot? Bot, RecorderContainer? Container, SessionOnDisk? Folder, bool IsRecorded, Liveness Signs);

    private static Gen<Trio> AnyTrio { get; } = Gen.Select(
        Gen.Enum<BotStatus>().Nullable(),
        Gen.Bool,
        Gen.Int[0, 120].Nullable(),
        Gen.Enum<RecorderContainerState>().Nullable(),
        Gen.Select(Gen.Bool, Gen.Int[0, 120]).Nullable(),
        Gen.Select(Gen.Bool, Gen.Int[0, 10], Gen.Int[0, 10]),
        (status, stop, launchedAgo, state, folder, more) =>
        {
            var sample = SampleBots.Queued();
            return new Trio(
                sample.Id,
                status is { } known
                    ? sample with { Status = known, StopRequested = stop, LaunchedAt = launchedAgo is { } ago ? Now.AddSeconds(-ago) : null }
                    : null,
                state is { } seen ? ContainerOf(sample, seen) : null,
                folder is (var hasAudio, var writtenAgo) ? FolderOf(sample, Now.AddSeconds(-writtenAgo)) with { HasAudio = hasAudio } : null,
                more.Item1,
                new(TimeSpan.FromHours(more.Item2), TimeSpan.FromHours(more.Item3)));
        });

    private static IReadOnlyList<Reconciliation> PlanOf(IReadOnlyCollection<Trio> world) => ReconciliationPlan.Make(
        [.. world.Select(trio => trio.Bot).OfType<Bot>()],
        [.. world.Select(trio => trio.Container).OfType<RecorderContainer>()],
        [.. world.Select(trio => trio.Folder).OfType<SessionOnDisk>()],
        [.. world.Where(trio => trio.IsRecorded).Select(trio => RecordingOf(trio.Id))],
        world.Where(trio => trio.Bot is not null || trio.Folder is not null).ToDictionary(trio => trio.Id, trio => trio.Signs),
        Now);

    /// <summary>What the executors make of the world, as values.</summary>
    private static void CarryOut(Reconciliation action, List<Trio> world)
    {
        var at = world.FindIndex(trio => trio.Id == action.Id);
        world[at] = action switch
        {
            Reconciliation.Adopt adopt => world[at] with
            {
                Bot = SampleBots.In(BotStatus.Launching) with
                {
                    Id = adopt.Id,
                    UserId = adopt.UserId,
                    LaunchedAt = adopt.Container is RecorderContainerState.Created ? null : SampleBots.Noon,
                },
                Signs = JustSeen,
            },
            Reconciliation.Recall recall => world[at] with { Bot = SampleBots.In(BotStatus.Completed) with { Id = recall.Id, UserId = recall.UserId } },
            // A recorder that was stopped exits, and the engine's word of that takes the bot to its end.
            Reconciliation.TakeToItsEnd or Reconciliation.Stop or Reconciliation.StopOverdue => world[at] with
            {
                Bot = world[at].Bot! with { Status = BotStatus.Completed },
                Container = null,
                Folder = null,
            },
            _ => throw new InvalidOperationException($"Nobody knows how to carry out {action}."),
        };
    }

    private static IReadOnlyList<Reconciliation> Plan(Bot bot, RecorderContainerState? container, SessionOnDisk? folder = null) =>
        Make([bot], container is { } state ? [ContainerOf(bot, state)] : [], folder is null ? [] : [folder]);

    private static IReadOnlyList<Reconciliation> Plan(Bot bot, DateTimeOffset now, Liveness signs) =>
        Make([bot], [ContainerOf(bot, RecorderContainerState.Running)], [], now, signs);

    /// <summary>With these signs of life of each recorder.</summary>
    private static IReadOnlyList<Reconciliation> Make(
        IReadOnlyCollection<Bot> known, IReadOnlyCollection<RecorderContainer> containers, IReadOnlyCollection<SessionOnDisk> folders,
        DateTimeOffset? now = null, Liveness? signs = null) => ReconciliationPlan.Make(
            known, containers, folders, recordings: [], containers.ToDictionary(container => container.Id, _ => signs ?? JustSeen), now ?? Now);

    private static RecorderContainer ContainerOf(Bot bot, RecorderContainerState state) => new(bot.Id, bot.UserId, state);

    private static FinalSession RecordingOf(SessionId id) => new(id, Recording.UserId, Now, HasManifest: true);

    private static SessionOnDisk FolderOf(Bot bot, DateTimeOffset writtenAt) => new(bot.Id, bot.UserId, HasAudio: true, writtenAt);
}
