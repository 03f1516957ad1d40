using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Ending;

/// <summary>The finisher with containers in memory, a real Redis, and a script in place of FFmpeg.</summary>
public sealed class BotFinisherTests(InMemoryRecorders recorders, RedisServer redis)
    : IClassFixture<InMemoryRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-finisher-").FullName;
    private ConnectionMultiplexer _redis = null!;
    private IServiceProvider _manager = null!;
    private BotFinisher _finisher = null!;

    private BotStorage Store => BotStorage.Of(_manager);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redis.ConnectAsync();
        _manager = recorders.WholeManager(
            _redis, TimeProvider.System, ("Finalizing:FFmpegPath", Path.Combine(_folder, "ffmpeg")), ("Finalizing:FFmpegTimeout", "00:00:02"));
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
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(beside, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        File.Move(beside, Path.Combine(_folder, "ffmpeg"), overwrite: true);
    }
}
