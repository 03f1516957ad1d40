using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Scheduling;
using NewarBots.ServiceDefaults;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Scheduling;

/// <summary>Schedulers on a real Redis, with a clock that the test advances.</summary>
public sealed class BotSchedulerTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = SampleBots.Noon;

    private readonly FakeTimeProvider _time = new(Noon);
    private readonly MetricsProbe _metrics = new();
    private readonly ScheduleSignal _signal = new();
    private readonly LaunchSignal _launches = new();
    private readonly List<BotScheduler> _schedulers = [];
    private ConnectionMultiplexer _redis = null!;

    private BotStorage Store => new(_redis, _metrics.Bots, Outboxes.Unused(_time), _time);

    public async ValueTask InitializeAsync()
    {
        _redis = await server.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var scheduler in _schedulers)
            await scheduler.StopAsync(CancellationToken.None);
        _metrics.Dispose();
        await _redis.DisposeAsync();
    }

    [Fact]
    public void Scheduler_sleeps_until_the_next_bot_is_due_and_never_for_long()
    {
        Assert.Equal(TimeSpan.FromSeconds(5), BotScheduler.WaitFor(next: null, Noon, haveToWait: false));
        Assert.Equal(TimeSpan.FromSeconds(5), BotScheduler.WaitFor(Noon.AddHours(1), Noon, haveToWait: false));
        Assert.Equal(TimeSpan.FromMilliseconds(1234), BotScheduler.WaitFor(Noon.AddMilliseconds(1234), Noon, haveToWait: false));
        Assert.Equal(TimeSpan.FromSeconds(1), BotScheduler.WaitFor(Noon.AddMilliseconds(1234), Noon, haveToWait: true));
        Assert.Equal(TimeSpan.Zero, BotScheduler.WaitFor(Noon.AddSeconds(-1), Noon, haveToWait: false));
    }

    [Fact]
    public async Task Due_bot_is_queued_by_exactly_one_of_several_schedulers()
    {
        var bots = new List<Bot>();
        for (var i = 0; i < 20; i++)
            bots.Add(await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(10), InMeeting(i))));
        for (var i = 0; i < 3; i++)
            await StartSchedulerAsync();

        _time.SetUtcNow(Noon.AddMinutes(10).AddMilliseconds(-1));
        _signal.Raise();
        await Task.WhenAll(bots.Select(async bot => Assert.Equal(BotStatus.Scheduled, (await Store.Queries.FindAsync(bot.Id))!.Status)));
        await UntilAsync(bots[^1].Id, BotStatus.Queued);

        Assert.Equal(bots.Select(bot => bot.Id), (await Store.Queries.ActiveAsync()).Select(bot => bot.Id));
        Assert.Equal(0, await Store.Queries.CountScheduledAsync());
        foreach (var bot in bots)
            Assert.Equal([BotStatus.Scheduled, BotStatus.Queued], (await MessagesAsync(bot.Id)).Select(message => message.Status));
    }

    [Fact]
    public async Task Clock_set_ahead_starts_the_bots_that_become_due()
    {
        var bot = await CreatedAsync(SampleBots.Scheduled(Noon.AddDays(1)));
        await StartSchedulerAsync();

        // Sets only the clock, without firing timers.
        _time.AdjustTime(Noon.AddDays(1));

        await UntilAsync(bot.Id, BotStatus.Queued);
    }

    [Fact]
    public async Task Bot_claims_its_meeting_when_due_and_the_next_one_waits_until_it_has_left()
    {
        var first = await CreatedAsync(SampleBots.Queued());
        var second = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1)));
        var third = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(2)));
        await StartSchedulerAsync();

        _time.Advance(TimeSpan.FromMinutes(2));
        await UntilAsync(third.Id, bot => bot.Warning is not null);
        var waits = BotResponse.Of((await Store.Queries.FindAsync(second.Id))!);
        Assert.Equal((BotStatus.Scheduled, EndReason.MeetingTaken), (waits.Status, waits.Reason!.Value));
        Assert.Contains(first.Id.ToString(), waits.Error, StringComparison.Ordinal);
        Assert.Equal(
            [(BotStatus.Scheduled, null), (BotStatus.Scheduled, EndReason.MeetingTaken)],
            (await MessagesAsync(second.Id)).Select(message => (message.Status, message.Reason)));

        await Store.Commands.UpdateAsync(first.Id, bot => BotLifecycle.StopAsked(bot, Noon));
        await UntilAsync(second.Id, BotStatus.Queued);
        Assert.Null(BotResponse.Of((await Store.Queries.FindAsync(second.Id))!).Reason);
        Assert.Equal(second.Id, Assert.IsType<CreateResult.MeetingTaken>(await Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null)).Holder);

        await Store.Commands.UpdateAsync(second.Id, bot => BotLifecycle.StopAsked(bot, Noon));
        await UntilAsync(third.Id, BotStatus.Queued);
    }

    [Fact]
    public async Task Scheduling_does_not_circumvent_the_quota_of_active_bots()
    {
        var active = await CreatedAsync(SampleBots.Queued());
        var scheduled = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1), InMeeting(1)));
        var others = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1), InMeeting(1), user: "bert"));
        await StartSchedulerAsync(quota: 1);

        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(scheduled.Id, bot => bot.Warning?.Reason is EndReason.UserOverQuota);
        await UntilAsync(others.Id, BotStatus.Queued);

        await Store.Commands.UpdateAsync(active.Id, bot => BotLifecycle.StopAsked(bot, Noon));
        await UntilAsync(scheduled.Id, BotStatus.Queued);
    }

    [Fact]
    public async Task Overdue_bot_starts_late_or_fails_if_it_is_too_late()
    {
        var late = await CreatedAsync(SampleBots.Scheduled(Noon.AddHours(23)));
        var tooLate = await CreatedAsync(SampleBots.Scheduled(Noon.AddHours(1)));
        _time.SetUtcNow(Noon.AddDays(1));

        await StartSchedulerAsync();

        await UntilAsync(late.Id, BotStatus.Queued);
        await UntilAsync(tooLate.Id, BotStatus.Failed);
        Assert.Equal(EndReason.StartMissed, (await Store.Queries.FindAsync(tooLate.Id))!.Reason);
        Assert.Equal(0, await Store.Queries.CountScheduledAsync());
    }

    [Fact]
    public async Task Bot_rescheduled_many_times_starts_at_its_last_time_and_its_recorder_status_still_counts()
    {
        var bot = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1)));
        await StartSchedulerAsync();

        for (var i = 2; i <= 200; i++)
            await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.Changed(known, new() { StartAt = Noon.AddMinutes(i) }, Noon));
        _time.SetUtcNow(Noon.AddMinutes(199));
        _signal.Raise();
        Assert.Equal(BotStatus.Scheduled, (await Store.Queries.FindAsync(bot.Id))!.Status);
        _time.SetUtcNow(Noon.AddMinutes(200));
        _signal.Raise();
        await UntilAsync(bot.Id, BotStatus.Queued);

        var launching = (await Store.Commands.UpdateAsync(bot.Id, BotLifecycle.LaunchBegun))!;
        Assert.InRange(launching.LastSequence, 2, StatusSequence.FirstOfRecorder - 1);
        Assert.Equal(100, BotLifecycle.StatusReceived(launching, bot.Says(BotStatus.Joining, StatusSequence.FirstOfRecorder)).LastSequence);
    }

    [Fact]
    public async Task Scheduled_bot_claims_neither_meeting_nor_place_and_counts_against_its_own_quota()
    {
        var limits = new BotLimits(Places: 1, Waiting: 1, OfOneUser: 1, ScheduledOfOneUser: 3);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Store.Commands.CreateAsync(SampleBots.Scheduled(Noon.AddMinutes(i + 1)), idempotency: null, limits)));

        var created = results.OfType<CreateResult.Created>().ToList();
        Assert.Equal(3, created.Count);
        Assert.Equal(17, results.OfType<CreateResult.TooManyScheduled>().Count());
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Scheduled(user: "bert"), idempotency: null, limits));
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null, limits));
        Assert.Single(await Store.Queries.ActiveAsync());
        Assert.Equal(4, (await Store.Queries.ScheduledAsync()).Count);

        await Store.Commands.UpdateAsync(created[0].Bot.Id, bot => BotLifecycle.StopAsked(bot, Noon));
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Scheduled(), idempotency: null, limits));
    }

    [Fact]
    public async Task Cancelled_and_deleted_scheduled_bot_leaves_nothing_behind()
    {
        var key = new IdempotencyKey("key", "k", "hash");
        var bot = Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Scheduled(), key)).Bot;
        Assert.IsType<CreateResult.Repeated>(await Store.Commands.CreateAsync(SampleBots.Scheduled(), key));

        var ended = await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.StopAsked(known, Noon));
        await Store.Commands.DeleteAsync(ended!);

        Assert.Equal(["newarbots:bots:changes"], _redis.GetServers()[0].Keys().Select(redisKey => (string)redisKey!));
    }

    [Fact]
    public async Task Running_manager_restores_scheduled_bots_after_Redis_was_emptied()
    {
        var bot = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1)));
        var store = Store;
        await StartSchedulerAsync(store: store);
        await Eventually.TrueAsync(() => store.Queries.Cached().Any());

        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        Assert.Null(await store.Queries.FindAsync(bot.Id));
        Assert.True(await store.Recovery.AdoptAsync(Assert.Single(store.Queries.Cached(), known => known.AwaitsContainer)));

        Assert.Empty(await store.Queries.ActiveAsync());
        Assert.IsType<CreateResult.Created>(await store.Commands.CreateAsync(SampleBots.Queued(user: "bert"), idempotency: null));
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(bot.Id, BotStatus.Queued);
    }

    [Fact]
    public async Task Unknown_members_of_the_schedule_do_not_affect_other_bots()
    {
        await _redis.GetDatabase().SortedSetAddAsync("newarbots:bots:scheduled", [new("no id!", 0), new("0199aaaabbbbccccddddeeeeffff0001", 0)]);
        var bot = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1)));
        await StartSchedulerAsync();

        _time.Advance(TimeSpan.FromMinutes(1));

        await UntilAsync(bot.Id, BotStatus.Queued);
    }

    [Fact]
    public async Task Trace_of_a_scheduled_bot_begins_at_its_start_and_links_to_its_request()
    {
        var call = ActivityContext.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", traceState: null);
        var bot = await CreatedAsync(SampleBots.Scheduled(Noon.AddMinutes(1)) with { TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
        Activity? start = null;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TelemetryNames.Manager,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (Equals(activity.GetTagItem(BotTracing.SessionTag), bot.Id.ToString()))
                    start = activity;
            },
        };
        ActivitySource.AddActivityListener(listener);

        await StartSchedulerAsync();
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(bot.Id, BotStatus.Queued);
        await Eventually.TrueAsync(() => start is not null);

        Assert.Equal(("bot start", default(ActivitySpanId)), (start!.OperationName, start.ParentSpanId));
        Assert.Equal((call.TraceId, call.SpanId), Assert.Single(start.Links.Select(link => (link.Context.TraceId, link.Context.SpanId))));
        Assert.NotEqual(call.TraceId, start.TraceId);
        using var launch = BotTracing.StartStep("bot launch", (await Store.Queries.FindAsync(bot.Id))!)!;
        Assert.Equal((start.TraceId, start.SpanId), (launch.TraceId, launch.ParentSpanId));
    }

    private static string InMeeting(int number) => $"https://meet.google.com/abc-defg-h{(char)('a' + number / 26)}{(char)('a' + number % 26)}";

    private async Task<Bot> CreatedAsync(Bot bot) => Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(bot, idempotency: null)).Bot;

    private async Task StartSchedulerAsync(int? quota = null, BotStorage? store = null)
    {
        store ??= Store;
        var scheduler = new BotScheduler(
            store.Queries, store.Commands, _signal, _launches, new(_time, NullLogger<BackgroundLoops>.Instance), Options.Create(new BotCapacityOptions { MaxConcurrentBotsPerUser = quota }),
            _time, NullLogger<BotScheduler>.Instance);
        _schedulers.Add(scheduler);
        await scheduler.StartAsync(TestContext.Current.CancellationToken);
    }

    private Task UntilAsync(SessionId id, BotStatus status) => UntilAsync(id, bot => bot.Status == status);

    /// <summary>Advances the clock in small steps.</summary>
    private Task UntilAsync(SessionId id, Func<Bot, bool> condition) => Eventually.TrueAsync(async () =>
    {
        _time.Advance(TimeSpan.FromMilliseconds(50));
        return condition((await Store.Queries.FindAsync(id))!);
    });

    private async Task<IReadOnlyList<StatusMessage>> MessagesAsync(SessionId id) =>
    [
        .. (await _redis.GetDatabase().StreamRangeAsync(RedisNames.EventStream(id)))
            .Select(entry => JsonSerializer.Deserialize((string)entry[RedisNames.MessageField]!, ContractJson.Default.StatusMessage)!),
    ];
}
