using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

public sealed class BotMetricsTests : IDisposable
{
    private static readonly DateTimeOffset Noon = SampleBots.Noon;

    private readonly MetricsProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void Each_step_of_a_bot_is_measured_once_despite_repeated_messages()
    {
        var bot = SampleBots.Queued();
        bot = Changed(bot, BotLifecycle.LaunchBegun(bot), Noon.AddSeconds(3));
        bot = Changed(bot, BotLifecycle.Launched(bot, Noon.AddSeconds(4)), Noon.AddSeconds(4));
        foreach (var message in new[]
        {
            bot.Says(BotStatus.Joining, 100) with { Chunks = null, RecordedSeconds = null },
            bot.Says(BotStatus.Recording, 101) with { Chunks = 1, RecordedSeconds = 0 },
            bot.Says(BotStatus.Recording, 102) with { Chunks = 1, RecordedSeconds = 5 },
            bot.Says(BotStatus.Recording, 102) with { Chunks = 1, RecordedSeconds = 5 },
            bot.Says(BotStatus.Recording, 103) with { Chunks = 2, RecordedSeconds = 12.5 },
            bot.Says(BotStatus.Leaving, 104, EndReason.EveryoneLeft) with { Chunks = 2, RecordedSeconds = 12.5 },
        })
            bot = Changed(bot, BotLifecycle.StatusReceived(bot, message), Noon.AddSeconds(200));
        bot = Changed(bot, BotLifecycle.RecorderGone(bot, new(0, OutOfMemory: false, Noon)), Noon.AddSeconds(210));
        var result = new FinalizationResult.Recorded(new("ogg", 1000, 12.6, Complete: true), Chunks: 2, AudibleSeconds: 12);
        bot = Changed(bot, BotLifecycle.Finalized(bot, result, Noon.AddSeconds(211)), Noon.AddSeconds(211));
        Changed(bot, BotLifecycle.Finalized(bot, result, Noon.AddSeconds(212)), Noon.AddSeconds(212));

        Assert.Equal(3, Assert.Single(_probe.Of("newarbots.queue.duration")).Value);
        Assert.Equal(101, Assert.Single(_probe.Of("newarbots.time_to_recording")).Value);
        Assert.Equal(2, _probe.Of("newarbots.chunks").Sum(one => one.Value));
        Assert.Equal(12.6, _probe.Of("newarbots.recorded").Sum(one => one.Value), precision: 6);
        Assert.Equal(
            new Measured("newarbots.bot.ends", 1, "newarbots.bot.status=completed newarbots.bot.reason=everyone_left"),
            Assert.Single(_probe.Of("newarbots.bot.ends")));
    }

    [Fact]
    public void Durations_of_a_scheduled_bot_start_when_it_is_due()
    {
        var bot = SampleBots.Scheduled(Noon.AddDays(1));
        bot = Changed(bot, BotLifecycle.Started(bot, traceParent: null), Noon.AddDays(1));
        bot = Changed(bot, BotLifecycle.LaunchBegun(bot), Noon.AddDays(1).AddSeconds(3));
        var recording = new StatusMessage(bot.Id, BotStatus.Recording, Noon.AddDays(1).AddSeconds(9).ToUnixTimeMilliseconds(), 101);
        Changed(bot, BotLifecycle.StatusReceived(bot, recording), Noon.AddDays(1).AddSeconds(10));

        Assert.Equal(3, Assert.Single(_probe.Of("newarbots.queue.duration")).Value);
        Assert.Equal(9, Assert.Single(_probe.Of("newarbots.time_to_recording")).Value);
    }

    [Fact]
    public void A_failed_launch_is_counted_with_its_reason()
    {
        var bot = SampleBots.Queued();
        _probe.Bots.NotLaunched(
            TimeSpan.FromSeconds(2), new ContainerEngineException("No such image.", ContainerEngineFailure.ImageMissing), isTriedAgain: false);
        Changed(bot, BotLifecycle.LaunchFailed(bot, "No such image.", Noon), Noon);

        Assert.Equal("newarbots.outcome=failed error.type=image_missing", Assert.Single(_probe.Of("newarbots.launch.duration")).Tags);
        Assert.Equal("newarbots.bot.status=failed newarbots.bot.reason=launch_failed", Assert.Single(_probe.Of("newarbots.bot.ends")).Tags);
    }

    [Fact]
    public void Active_bots_are_reported_by_status_and_not_at_all_while_unknown()
    {
        _probe.Observe();
        Assert.Empty(_probe.Of("newarbots.bots"));

        _probe.Bots.SeeActive([SampleBots.In(BotStatus.Recording), SampleBots.In(BotStatus.Recording)], queued: 1, scheduled: 5);
        _probe.Observe();

        Assert.Equal(
            [
                (5, "scheduled"), (1, "queued"), (0, "launching"), (0, "joining"), (0, "waiting"), (2, "recording"), (0, "leaving"), (0, "finalizing"),
            ],
            _probe.Of("newarbots.bots").Select(one => ((int)one.Value, one.Tags["newarbots.bot.status=".Length..])));

        _probe.Bots.SeeActive(null);
        _probe.Observe();
        Assert.Equal(8, _probe.Of("newarbots.bots").Count);
    }

    [Fact]
    public void Gaps_are_reported_only_with_known_causes()
    {
        var result = new FinalizationResult.Recorded(new("ogg", 1000, 60, Complete: false), Chunks: 6, AudibleSeconds: 40)
        {
            Gaps = [new(10, 12.5, GapCause.NotHeard), new(20, 21, "whatever a journal may hold")],
        };

        _probe.Bots.Finalized(TimeSpan.FromSeconds(0.5), result);

        Assert.Equal(
            [
                new("newarbots.gap.duration", 2.5, "newarbots.gap.cause=not_heard"),
                new("newarbots.gap.duration", 1, "newarbots.gap.cause=other"),
            ],
            _probe.Of("newarbots.gap.duration"));
        Assert.Equal(new("newarbots.finalization.duration", 0.5, "newarbots.outcome=recorded"), Assert.Single(_probe.Of("newarbots.finalization.duration")));
    }

    private Bot Changed(Bot before, Bot after, DateTimeOffset now)
    {
        _probe.Bots.Changed(before, after, now);
        return after;
    }
}
