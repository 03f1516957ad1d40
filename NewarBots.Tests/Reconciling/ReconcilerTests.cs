using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Reconciling;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Reconciling;

/// <summary>The reconciler with containers in memory, a real Redis and a fake clock.</summary>
public sealed class ReconcilerTests(InMemoryRecorders recorders, RedisServer redis)
    : IClassFixture<InMemoryRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private ConnectionMultiplexer _redis = null!;
    private IServiceProvider _manager = null!;

    private BotStorage Store => BotStorage.Of(_manager);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redis.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _manager = recorders.WholeManager(_redis, _time);
    }

    public async ValueTask DisposeAsync()
    {
        // The next test's manager would recover remaining containers, since its Redis is empty.
        recorders.Containers.Clear();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_frozen_recorder_is_stopped_once_it_is_overdue_and_not_before()
    {
        var bot = await LaunchedAsync("trap 'exit 0' TERM; while :; do sleep 0.1; done");
        var stopper = _manager.GetRequiredService<BotStopper>();
        await stopper.StartAsync(Cancellation);

        await ReconcileAsync();
        _time.Advance(bot.Leave.MaxDuration + bot.Leave.WaitingRoomTimeout);
        await ReconcileAsync();
        Assert.False((await Store.Queries.FindAsync(bot.Id))!.StopRequested);
        _time.Advance(ReconciliationPlan.OverdueAfter + TimeSpan.FromMinutes(1));
        await ReconcileAsync();

        Assert.Equal(0, (await recorders.ExitOf(bot.Id)).ExitCode);
        Assert.Equal(EndReason.MaxDuration, (await Store.Queries.FindAsync(bot.Id))!.Reason);
        await stopper.StopAsync(Cancellation);
    }

    [Theory]
    [InlineData(nameof(RecorderContainerState.Pending), EndReason.ContainerPending)]
    [InlineData(nameof(RecorderContainerState.Unknown), EndReason.ContainerUnreachable)]
    public async Task Users_are_told_why_a_container_does_not_start_or_answer_until_it_does(string state, EndReason reason)
    {
        var status = reason is EndReason.ContainerPending ? BotStatus.Launching : BotStatus.Recording;
        var bot = await LaunchedAsync("sleep 1000", status);
        recorders.Containers.Shown = (Enum.Parse<RecorderContainerState>(state), "The reason.");
        await ReconcileAsync();
        _time.Advance(TimeSpan.FromHours(1));
        await ReconcileAsync();
        var waiting = (await Store.Queries.FindAsync(bot.Id))!;

        recorders.Containers.Shown = null;
        await ReconcileAsync();

        Assert.Equal((status, new BotWarning(reason, "The reason.")), (waiting.Status, waiting.Warning));
        Assert.Null((await Store.Queries.FindAsync(bot.Id))!.Warning);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bot_without_a_record_is_recovered_as_it_was_launched(bool hasContainer)
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij") with
        {
            BotName = "sleep 1000",
            Metadata = new Dictionary<string, string> { ["matter"] = "42" },
            Retention = TimeSpan.FromDays(3),
            RecordTracks = true,
            Webhook = new(new("https://hooks.example/"), ["bot.completed"], "whsec_c2VjcmV0"),
            TranscriptWish = new("de"),
        };
        var spec = await _manager.GetRequiredService<RecorderPreparation>().PrepareAsync(bot, traceParent: null, Cancellation);
        if (hasContainer)
            await recorders.Containers.LaunchAsync(spec, Cancellation);
        else
            await File.WriteAllTextAsync(Path.Combine(spec.SessionFolder, ChunkFormat.FileName(0)), "audio", Cancellation);
        _time.SetUtcNow(TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(1));

        await ReconcileAsync();

        var recovered = (await Store.Queries.FindAsync(bot.Id))!;
        Assert.NotNull(recovered.LaunchedAt);
        Assert.Equivalent(bot with { LaunchedAt = recovered.LaunchedAt }, recovered);
        Assert.DoesNotContain("matter", string.Join('\n', Directory.EnumerateFiles(spec.SessionFolder).Select(File.ReadAllText)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recorder_whose_folder_outgrows_its_recording_is_stopped()
    {
        var bot = await LaunchedAsync("trap 'exit 0' TERM; while :; do sleep 0.1; done");
        var stopper = _manager.GetRequiredService<BotStopper>();
        await stopper.StartAsync(Cancellation);

        await ReconcileAsync();
        Assert.False((await Store.Queries.FindAsync(bot.Id))!.StopRequested);
        var nested = Directory.CreateDirectory(Path.Combine(new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id), "a", "b"));
        var junk = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, PreallocationSize = 200 * 1024 * 1024 };
        await using (new FileStream(Path.Combine(nested.FullName, "junk"), junk))
            await ReconcileAsync();

        Assert.Equal(0, (await recorders.ExitOf(bot.Id)).ExitCode);
        var stopped = (await Store.Queries.FindAsync(bot.Id))!;
        Assert.Equal(EndReason.StorageFailed, stopped.Reason);
        Assert.StartsWith("The recorder's files took ", stopped.Error, StringComparison.Ordinal);
        await stopper.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_recorder_that_deletes_files_and_keeps_them_open_is_stopped_like_one_whose_folder_is_too_large()
    {
        Assert.SkipUnless(ContainerUser.IsRoot, "Only root sees the open files of recorders.");
        var bot = await LaunchedAsync("trap 'exit 0' TERM; while :; do sleep 0.1; done");
        var stopper = _manager.GetRequiredService<BotStopper>();
        await stopper.StartAsync(Cancellation);
        var folder = new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id);
        var junk = Path.Combine(folder, "junk");
        await new FileStream(junk, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, PreallocationSize = 200 * 1024 * 1024 }).DisposeAsync();
        var owner = SessionFolders.OwnerOf(folder);
        // A process of the recorder, with the file as its standard input.
        using var process = Process.Start("sh", ["-c", $"exec <'{junk}'; rm '{junk}'; exec setpriv --reuid={owner.Uid} --regid={owner.Gid} --clear-groups sleep 600"]);
        try
        {
            await Eventually.TrueAsync(() => HostProcesses.ByUser()[owner.Uid].Any());
            await ReconcileAsync();
        }
        finally
        {
            process.Kill();
        }

        Assert.Equal(0, (await recorders.ExitOf(bot.Id)).ExitCode);
        var stopped = (await Store.Queries.FindAsync(bot.Id))!;
        Assert.Equal(EndReason.StorageFailed, stopped.Reason);
        Assert.StartsWith("The recorder's files took 200 MB", stopped.Error, StringComparison.Ordinal);
        await stopper.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_folder_that_takes_too_long_to_measure_is_reported_and_its_bot_records_on()
    {
        var bot = await LaunchedAsync("sleep 1000");
        await File.WriteAllBytesAsync(Path.Combine(new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id), "junk"), new byte[5000], Cancellation);
        await _manager.GetRequiredService<FolderLimit>().EnforceAsync(bot);

        var slow = recorders.WholeManager(_redis, new LeapingClock()).GetRequiredService<FolderLimit>();
        var exception = await Assert.ThrowsAsync<IOException>(() => slow.EnforceAsync(bot));

        Assert.Contains("too slow", exception.Message, StringComparison.Ordinal);
        Assert.False((await Store.Queries.FindAsync(bot.Id))!.StopRequested);
    }

    [Fact]
    public async Task A_bot_cancelled_by_another_manager_is_not_recovered_after_Redis_was_emptied()
    {
        await Store.Recovery.CompleteAsync((await Store.Recovery.BeginAsync())!);
        var bot = Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null)).Bot;
        var other = BotStorage.Of(recorders.WholeManager(_redis, _time));
        await other.Commands.UpdateAsync(bot.Id, known => BotLifecycle.StopAsked(known, _time.GetUtcNow()));

        await ReconcileAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        await ReconcileAsync();

        Assert.Empty(await Store.Queries.ActiveAsync());
    }

    [Fact]
    public async Task Restoring_from_an_outdated_record_does_not_recreate_the_Redis_user_of_an_ended_bot()
    {
        var bot = await LaunchedAsync("sleep 1000");
        var reconciler = Reconciler;
        await reconciler.RestoreAsync([bot], Cancellation);
        Assert.Contains(bot.Id.ToString(), await UsersAsync(), StringComparison.Ordinal);

        await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.RecorderGone(known, exit: null));
        await reconciler.RestoreAsync([bot], Cancellation);

        Assert.DoesNotContain(bot.Id.ToString(), await UsersAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_to_restore_one_bot_does_not_stop_others_from_being_finished()
    {
        await using var restricted = await RedisServer.RunAsync();
        await using var connection = await restricted.ConnectAsManagerWithoutAclAsync();
        _manager = recorders.WholeManager(connection, _time);
        await LaunchedAsync("sleep 1000");
        var gone = await LaunchedAsync("exit 1");
        await recorders.ExitOf(gone.Id);
        var finisher = _manager.GetRequiredService<BotFinisher>();
        await finisher.StartAsync(Cancellation);

        await ReconcileAsync();

        await Eventually.TrueAsync(async () => (await Store.Queries.FindAsync(gone.Id))!.Status is BotStatus.Failed);
        await finisher.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_bot_whose_container_the_engine_does_not_answer_about_is_recovered_like_others()
    {
        var bots = new[] { await LaunchedAsync("sleep 1000"), await LaunchedAsync("sleep 1000"), await LaunchedAsync("sleep 1000") };
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _manager = recorders.WholeManager(_redis, _time);
        recorders.Containers.Hanging = bots[0].Id;

        await ReconcileAsync();

        Assert.Equal(bots.Select(bot => bot.Id).Order(), (await Store.Queries.ActiveAsync()).Select(bot => bot.Id).Order());
        recorders.Containers.Hanging = null;
    }

    [Fact]
    public async Task Recordings_are_recovered_in_batches_after_Redis_was_emptied_and_invalid_manifests_are_left_alone()
    {
        using var session = new RecordedSession();
        session.Write(await OpusPackets.OfToneAsync(50));
        await session.RecordAsync();
        var template = await File.ReadAllTextAsync(session.ManifestPath, Cancellation);
        for (var i = 0; i < RecordingRecovery.BatchSize; i++)
        {
            var copy = SessionId.New(TimeProvider.System);
            File.Copy(session.Recording, session.Storage.Recording(session.Bot.UserId, copy));
            await File.WriteAllTextAsync(
                session.Storage.Manifest(session.Bot.UserId, copy), template.Replace(session.Bot.Id.ToString(), copy.ToString(), StringComparison.Ordinal), Cancellation);
        }

        foreach (var (name, garbage) in new[] { ("null", "null"), ("none", "{"), ("another", template), ("hollow", template.Replace("\"https://meet.google.com/abc-defg-hij\"", "null", StringComparison.Ordinal)) })
            await File.WriteAllTextAsync(session.Storage.Manifest(session.Bot.UserId, SessionId.Parse($"garbage{name}")), garbage, Cancellation);
        _manager = recorders.WholeManager(_redis, _time, ("Storage:Path", session.Storage.Root));
        await Store.Recovery.CompleteAsync((await Store.Recovery.BeginAsync())!);
        await ReconcileAsync();
        Assert.Empty(await AllAsync());

        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        await ReconcileAsync();
        Assert.False(await Store.Recovery.IsCompleteAsync());
        await ReconcileAsync();
        Assert.True(await Store.Recovery.IsCompleteAsync());

        Assert.Equal(RecordingRecovery.BatchSize + 1, (await AllAsync()).Count);
        Assert.Empty(await Store.Queries.ActiveAsync());
        var manifest = session.Manifest();
        Assert.Equivalent(
            new
            {
                Status = BotStatus.Completed,
                session.Bot.Reason,
                session.Bot.MeetingUrl,
                session.Bot.BotName,
                session.Bot.Metadata,
                RecordingAt = manifest.StartedAt,
                manifest.EndedAt,
                Chunks = 1,
                RecordedSeconds = 1.0,
                Recording = new RecordingInfo("ogg", manifest.Bytes, 1, Complete: true) { MissingSeconds = 0 },
            },
            await Store.Queries.FindAsync(session.Bot.Id));

        // An unreadable record is recovered in the same way.
        await _redis.GetDatabase().HashSetAsync($"newarbots:bot:{session.Bot.Id}", "record", "{");
        await AssertRecoveredAsync();

        async Task AssertRecoveredAsync()
        {
            Assert.Equal(RecordingRecovery.BatchSize, (await AllAsync()).Count);
            await ReconcileAsync();
            Assert.Equal(RecordingRecovery.BatchSize + 1, (await AllAsync()).Count);
        }
    }

    private async Task<IReadOnlyList<Bot>> AllAsync() =>
        await Store.Queries.FindAsync(BotRecords.Ids(await _redis.GetDatabase().SortedSetRangeByRankAsync("newarbots:bots")));

    private Reconciler Reconciler => _manager.GetServices<IHostedService>().OfType<Reconciler>().Single();

    private async Task<string> UsersAsync() => string.Join('\n', (string[])(await _redis.GetDatabase().ExecuteAsync("ACL", "LIST"))!);

    private async Task<Bot> LaunchedAsync(string script, BotStatus status = BotStatus.Recording)
    {
        var spec = recorders.Bot(script);
        await recorders.Containers.LaunchAsync(spec, Cancellation);
        var bot = new Bot
        {
            Id = spec.Id,
            UserId = spec.UserId,
            Status = status,
            MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
            Platform = Platform.GoogleMeet,
            BotName = "Notes",
            Leave = new(),
            CreatedAt = _time.GetUtcNow(),
            LaunchedAt = _time.GetUtcNow(),
        };
        Assert.True(await Store.Recovery.AdoptAsync(bot));
        return bot;
    }

    private Task ReconcileAsync() => Reconciler.ReconcileAsync(Cancellation);

    /// <summary>Three seconds pass between any two looks at it.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long _seconds;

        public override long GetTimestamp() => Interlocked.Add(ref _seconds, 3) * TimestampFrequency;
    }
}
