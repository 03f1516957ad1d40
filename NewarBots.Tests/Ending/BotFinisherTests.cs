using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Ending;

/// <summary>The finisher with containers in memory, a real Redis, and a script in place of FFmpeg.</summary>
public sealed class BotFinisherTests(InMemoryRecorders recorders, RedisServer redis)
    : IClassFixture<InMemoryRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private const int MaxAttempts = 4;

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-finisher-").FullName;
    private ConnectionMultiplexer _redis = null!;
    private IServiceProvider _manager = null!;
    private BotFinisher _finisher = null!;

    private BotStorage Store => BotStorage.Of(_manager);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // FFmpeg runs as another user.
        OtherUsers.Allow(_folder);
        _redis = await redis.ConnectAsync();
        await _redis.GetServers()[0].FlushAllDatabasesAsync();
        _manager = recorders.WholeManager(
            _redis, TimeProvider.System, ("Finalizing:FFmpegPath", Path.Combine(_folder, "ffmpeg")), ("Finalizing:MaxAttempts", $"{MaxAttempts}"));
        _finisher = _manager.GetRequiredService<BotFinisher>();
        await _finisher.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _finisher.StopAsync(Cancellation);
        await _redis.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_bot_whose_FFmpeg_was_killed_is_retried_later_instead_of_failing()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("kill -KILL $$");
        var backoff = _manager.GetRequiredService<RetryBackoff>();

        _finisher.Enqueue(bot.Id);
        await Eventually.TrueAsync(() => backoff.All.Count == 1);
        Assert.Equal(BotStatus.Finalizing, (await Store.Queries.FindAsync(bot.Id))!.Status);

        UseFFmpeg("""exec ffmpeg "$@" """);
        backoff.Forget(bot.Id);
        _finisher.Enqueue(bot.Id);
        await Eventually.TrueAsync(async () => (await Store.Queries.FindAsync(bot.Id))!.Status is BotStatus.Completed);
    }

    [Fact]
    public async Task Failed_attempts_are_counted_in_the_record_and_free_the_meeting()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("kill -KILL $$");
        var backoff = _manager.GetRequiredService<RetryBackoff>();

        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await FailAsync(bot, attempt);
            var failed = (await Store.Queries.FindAsync(bot.Id))!;
            Assert.Equal((attempt, attempt), (failed.FailedEnd!.Attempts, failed.FailedEnd.Counted));
            Assert.Equal(BotStatus.Finalizing, failed.Status);
            Assert.Equal("FFmpeg was killed or timed out.", BotResponse.Of(failed).Error);
        }

        Assert.Equal(3, backoff.AttemptsOf(bot.Id));
        Assert.Contains($"Bot {bot.Id}: 3 failed attempts", (await new RetryBackoffHealthCheck(backoff).CheckHealthAsync(new())).Description, StringComparison.Ordinal);
        Assert.IsType<CreateResult.Created>(await Store.Commands.CreateAsync(SampleBots.Queued(), idempotency: null, new(Places: 10, Waiting: 10, OfOneUser: 1)));
    }

    [Fact]
    public async Task A_restarted_manager_tries_at_once_and_continues_to_count()
    {
        var bot = await RecordedAsync();
        await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.EndFailed(known, "It hung.", FailureCause.Bot, TimeProvider.System.GetUtcNow()));
        UseFFmpeg("kill -KILL $$");

        await FailAsync(bot, attempts: 2);
    }

    [Fact]
    public async Task A_bot_ends_after_the_last_attempt_with_its_chunks_and_can_be_finalized_again()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("kill -KILL $$");
        for (var attempt = 1; attempt < MaxAttempts; attempt++)
            await FailAsync(bot, attempt);
        _manager.GetRequiredService<RetryBackoff>().Forget(bot.Id);
        _finisher.Enqueue(bot.Id);
        var failed = await UntilAsync(bot, BotStatus.Failed);

        Assert.Equal(EndReason.FinalizationFailed, failed.Reason);
        Assert.Contains("FFmpeg was killed or timed out.", failed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("/", failed.Error!.Replace("/bots/{id}/finalize", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Null(failed.FailedEnd);
        Assert.Empty(_manager.GetRequiredService<RetryBackoff>().All);
        Assert.Contains(bot.Id, await Store.Queries.EndedBeforeAsync(DateTimeOffset.MaxValue, skip: 0, atMost: 1000));

        UseFFmpeg("""exec ffmpeg "$@" """);
        var requested = (await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.FinalizationRequested(known, TimeProvider.System.GetUtcNow())))!;
        Assert.Equal((BotStatus.Finalizing, EndReason.RecorderCrashed), (requested.Status, requested.Reason));
        Assert.Null(requested.EndedAt);
        Assert.Contains(bot.Id, (await Store.Queries.ActiveAsync()).Select(active => active.Id));
        Assert.DoesNotContain(bot.Id, await Store.Queries.EndedBeforeAsync(DateTimeOffset.MaxValue, skip: 0, atMost: 1000));
        _finisher.Enqueue(bot.Id);
        var completed = await UntilAsync(bot, BotStatus.Completed);
        Assert.Equal(EndReason.RecorderCrashed, completed.Reason);
        Assert.Equal(1, completed.RecordedSeconds);
        Assert.DoesNotContain(bot.Id, (await Store.Queries.ActiveAsync()).Select(active => active.Id));
    }

    [Fact]
    public async Task Missing_FFmpeg_does_not_count_as_the_fault_of_the_bot_and_its_return_ends_the_wait()
    {
        var bot = await RecordedAsync();
        var watch = _manager.GetServices<IHostedService>().OfType<OutageWatch>().Single();
        for (var attempt = 1; attempt <= MaxAttempts + 1; attempt++)
            await FailAsync(bot, attempt);
        await watch.CheckAsync(Cancellation);
        var failed = (await Store.Queries.FindAsync(bot.Id))!;
        Assert.Equal((MaxAttempts + 1, 0), (failed.FailedEnd!.Attempts, failed.FailedEnd.Counted));
        Assert.Equal("FFmpeg is missing or cannot be started on the manager's machine.", failed.FailedEnd.Error);

        UseFFmpeg("""exec ffmpeg "$@" """);
        await Eventually.TrueAsync(async () =>
        {
            await watch.CheckAsync(Cancellation);
            return (await Store.Queries.FindAsync(bot.Id))!.Status is BotStatus.Completed;
        }, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_container_that_cannot_be_removed_counts_unless_the_whole_engine_is_unreachable()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("""exec ffmpeg "$@" """);
        var unreachable = new ContainerEngineException("No answer within 60 s.", ContainerEngineFailure.Unreachable);
        try
        {
            recorders.Containers.RemovalFailure = recorders.Containers.ListFailure = unreachable;
            await FailAsync(bot, attempts: 1);
            Assert.Equal(0, (await Store.Queries.FindAsync(bot.Id))!.FailedEnd!.Counted);

            recorders.Containers.ListFailure = null;
            await FailAsync(bot, attempts: 2);
            var failed = (await Store.Queries.FindAsync(bot.Id))!.FailedEnd!;
            Assert.Equal(1, failed.Counted);
            Assert.Equal("The container engine does not answer requests about the bot's container, although it works otherwise.", failed.Error);
        }
        finally
        {
            recorders.Containers.RemovalFailure = recorders.Containers.ListFailure = null;
        }

        _manager.GetRequiredService<RetryBackoff>().Forget(bot.Id);
        _finisher.Enqueue(bot.Id);
        await UntilAsync(bot, BotStatus.Completed);
    }

    [Fact]
    public async Task Bots_whose_chunks_claim_a_far_position_end_and_hold_up_no_honest_one()
    {
        var hostile = new List<Bot>();
        for (var i = 0; i < 6; i++)
        {
            var bot = await RecordedAsync();
            var folder = new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id);
            await HostileChunk.WriteAsync(Path.Combine(folder, ChunkFormat.FileName(1)), bot.Id, first: 50, packets: 1_000_000_000_000);
            hostile.Add(bot);
        }

        var honest = await RecordedAsync();
        UseFFmpeg("""exec ffmpeg "$@" """);
        hostile.ForEach(bot => _finisher.Enqueue(bot.Id));
        _finisher.Enqueue(honest.Id);

        Assert.Equal(1, (await UntilAsync(honest, BotStatus.Completed)).RecordedSeconds);
        foreach (var bot in hostile)
        {
            var ended = await UntilAsync(bot, BotStatus.Completed);
            Assert.Equal((2, false), (ended.RecordedSeconds, ended.Recording!.Complete));
            var manifest = RecordingManifest.TryRead(new StorageLayout(recorders.Storage).Manifest(bot.UserId, bot.Id))!;
            Assert.Equal([null, ChunkProblem.Damaged], manifest.Chunks.Select(chunk => chunk.Problem));
        }
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_bot_with_a_million_files_ends_with_its_recording()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("""exec ffmpeg "$@" """);
        var folder = new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id);
        for (var number = 0; number < 1_000_000; number++)
            File.Create(Path.Combine(folder, $"junk{number}")).Dispose();

        _finisher.Enqueue(bot.Id);

        Assert.Equal(1, (await UntilAsync(bot, BotStatus.Completed)).RecordedSeconds);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task The_outage_of_a_Redis_that_rejects_writes_lasts_until_it_accepts_them()
    {
        var id = SessionId.New(TimeProvider.System);
        var backoff = _manager.GetRequiredService<RetryBackoff>();
        var watch = _manager.GetServices<IHostedService>().OfType<OutageWatch>().Single();
        backoff.Postpone(id, attempts: 10, FailureCause.Redis, "Redis is unavailable.");
        await _redis.GetServers()[0].ConfigSetAsync("maxmemory", "1");
        try
        {
            await watch.CheckAsync(Cancellation);
            await watch.CheckAsync(Cancellation);
            Assert.True(backoff.IsPostponed(id));
        }
        finally
        {
            await _redis.GetServers()[0].ConfigSetAsync("maxmemory", "0");
        }

        await watch.CheckAsync(Cancellation);
        Assert.False(backoff.IsPostponed(id));
    }

    [Fact]
    public async Task An_FFmpeg_that_works_otherwise_is_no_outage()
    {
        var bot = await RecordedAsync();
        // Its files made FFmpeg, or the process that runs it, exit like a program that is missing.
        UseFFmpeg("""[ "$1" != -version ] || exec ffmpeg "$@"; exit 127""");

        await FailAsync(bot, attempts: 1);

        var failed = (await Store.Queries.FindAsync(bot.Id))!.FailedEnd!;
        Assert.Equal((1, 1), (failed.Attempts, failed.Counted));
        Assert.Contains("works otherwise", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bot_over_its_budget_can_be_finalized_again_with_the_chunks_that_were_kept()
    {
        var bot = await RecordedAsync();
        var storage = new StorageLayout(recorders.Storage);
        UseFFmpeg("""[ "$1" != -version ] || exec ffmpeg "$@"; kill -XCPU $$""");
        _finisher.Enqueue(bot.Id);
        var failed = await UntilAsync(bot, BotStatus.Failed);
        Assert.Contains("over the limit of CPU time", failed.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(storage.SessionFolder(bot.UserId, bot.Id)));
        var health = await new FailedFinalizationsHealthCheck(_manager.GetRequiredService<FailedFinalizations>()).CheckHealthAsync(new(), Cancellation);
        Assert.Contains($"Bot {bot.Id} ended with finalization_failed: ", health.Description, StringComparison.Ordinal);

        // The limit still applies.
        await RequestAsync();
        Assert.Contains("over the limit of CPU time", (await UntilAsync(bot, BotStatus.Failed)).Error, StringComparison.Ordinal);
        Assert.True(Directory.Exists(storage.Damaged(bot.UserId, bot.Id)));

        UseFFmpeg("""exec ffmpeg "$@" """);
        await RequestAsync();
        Assert.Equal(1, (await UntilAsync(bot, BotStatus.Completed)).RecordedSeconds);
        Assert.False(Directory.Exists(storage.Damaged(bot.UserId, bot.Id)));
        Assert.False(Directory.Exists(storage.SessionFolder(bot.UserId, bot.Id)));

        async Task RequestAsync()
        {
            await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.FinalizationRequested(known, TimeProvider.System.GetUtcNow()));
            _finisher.Enqueue(bot.Id);
        }
    }

    [Fact]
    public async Task An_outage_does_not_end_a_bot_whose_own_failures_were_too_few()
    {
        var bot = await RecordedAsync();
        var now = TimeProvider.System.GetUtcNow();
        for (var attempt = 1; attempt < MaxAttempts; attempt++)
            await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.EndFailed(known, "It hung.", FailureCause.Bot, now));
        // FFmpeg is missing.
        await FailAsync(bot, MaxAttempts);
        var failed = (await Store.Queries.FindAsync(bot.Id))!.FailedEnd!;
        Assert.Equal((MaxAttempts, MaxAttempts - 1, FailureCause.FFmpeg), (failed.Attempts, failed.Counted, failed.Cause));

        UseFFmpeg("kill -KILL $$");
        _manager.GetRequiredService<RetryBackoff>().Forget(bot.Id);
        _finisher.Enqueue(bot.Id);

        Assert.Contains($"in {MaxAttempts + 1} attempts. FFmpeg was killed", (await UntilAsync(bot, BotStatus.Failed)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bot_that_cannot_end_can_be_deleted()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("kill -KILL $$");
        await FailAsync(bot, attempts: 1);

        Assert.Equal(DeletionResult.Deleted, await _manager.GetRequiredService<BotDeletion>().DeleteAsync((await Store.Queries.FindAsync(bot.Id))!, Cancellation));

        Assert.Null(await Store.Queries.FindAsync(bot.Id));
        Assert.DoesNotContain(await Store.Queries.ActiveAsync(), active => active.Id == bot.Id);
        Assert.False(Directory.Exists(new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id)));
        Assert.Empty(_manager.GetRequiredService<RetryBackoff>().All);
    }

    [Fact]
    public async Task A_bot_that_is_being_finalized_is_not_deleted()
    {
        var bot = await RecordedAsync();
        await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.FinalizationBegun(known, exit: null));
        await using var lease = await new BotLeases(_redis).TryTakeAsync(bot.Id, Cancellation);

        Assert.Equal(DeletionResult.Busy, await _manager.GetRequiredService<BotDeletion>().DeleteAsync((await Store.Queries.FindAsync(bot.Id))!, Cancellation));
        Assert.Equal(DeletionResult.Active, await _manager.GetRequiredService<BotDeletion>().DeleteAsync(bot, Cancellation));
    }

    [Fact]
    public async Task A_manager_that_lost_the_lease_of_a_bot_does_not_set_its_final_status()
    {
        var bot = await RecordedAsync();
        UseFFmpeg($"echo > {_folder}/runs; until [ -e {_folder}/go ]; do sleep 0.02; done; echo invalid data >&2; exit 1");

        _finisher.Enqueue(bot.Id);
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(_folder, "runs")));
        var takenOver = await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.FinalizationBegun(known, exit: null));
        await File.WriteAllTextAsync(Path.Combine(_folder, "go"), string.Empty, Cancellation);
        // The lease is free once the first manager has given up.
        await using (await Eventually.NotNullAsync(() => new BotLeases(_redis).TryTakeAsync(bot.Id, Cancellation)))
            Assert.Equivalent(takenOver, await Store.Queries.FindAsync(bot.Id), strict: true);
    }

    /// <summary>Waits until that many attempts have failed, without the waits between them.</summary>
    private async Task FailAsync(Bot bot, int attempts)
    {
        _manager.GetRequiredService<RetryBackoff>().Forget(bot.Id);
        _finisher.Enqueue(bot.Id);
        await Eventually.TrueAsync(() => _manager.GetRequiredService<RetryBackoff>().AttemptsOf(bot.Id) == attempts);
    }

    private async Task<Bot> UntilAsync(Bot bot, BotStatus status)
    {
        await Eventually.TrueAsync(async () => (await Store.Queries.FindAsync(bot.Id))!.Status == status);
        return (await Store.Queries.FindAsync(bot.Id))!;
    }

    /// <summary>A bot with one second of audio and no container.</summary>
    private async Task<Bot> RecordedAsync()
    {
        var bot = SampleBots.In(BotStatus.Recording) with { LaunchedAt = SampleBots.Noon };
        Assert.True(await Store.Recovery.AdoptAsync(bot));
        var folder = new StorageLayout(recorders.Storage).SessionFolder(bot.UserId, bot.Id);
        Directory.CreateDirectory(folder);
        using var writer = new ChunkWriter(folder, bot.Id, ChunkFormat.DefaultLength, new(SampleBots.Noon));
        foreach (var packet in await OpusPackets.OfToneAsync(50))
            writer.Append(packet);
        writer.Flush();
        return bot;
    }

    private void UseFFmpeg(string body)
    {
        var beside = Path.Combine(_folder, "ffmpeg.new");
        File.WriteAllText(beside, $"#!/bin/sh\n{body}\n");
        OtherUsers.Allow(beside);
        File.Move(beside, Path.Combine(_folder, "ffmpeg"), overwrite: true);
    }
}
