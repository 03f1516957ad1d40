using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Ending;

/// <summary>The end of a bot whose container is gone, with a real engine, a real Redis and scripts in FFmpeg's place.</summary>
public sealed class EndedBotsTests(ScriptedRecorders recorders, RedisServer redis)
    : IClassFixture<ScriptedRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-ended-").FullName;
    private ConnectionMultiplexer _redis = null!;
    private IServiceProvider _manager = null!;
    private BotFinisher _ended = null!;

    private BotStorage Store => BotStorage.Of(_manager);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redis.ConnectAsync();
        _manager = recorders.WholeManager(
            _redis, TimeProvider.System, ("Finalizing:FFmpegPath", Path.Combine(_folder, "ffmpeg")), ("Finalizing:FFmpegTimeout", "00:00:02"));
        _ended = _manager.GetRequiredService<BotFinisher>();
        await _ended.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.StopAsync(Cancellation);
        await _redis.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_bot_over_which_FFmpeg_is_killed_is_not_failed_but_waits_and_is_recorded_later()
    {
        var bot = await RecordedAsync();
        UseFFmpeg("kill -KILL $$");
        var postponements = _manager.GetRequiredService<RetryBackoff>();

        _ended.Enqueue(bot.Id);
        await Eventually.TrueAsync(() => postponements.All.Count == 1);
        Assert.Equal(BotStatus.Finalizing, (await Store.Queries.FindAsync(bot.Id))!.Status);

        UseFFmpeg("""exec ffmpeg "$@" """);
        postponements.Forget(bot.Id);
        _ended.Enqueue(bot.Id);
        await Eventually.TrueAsync(async () => (await Store.Queries.FindAsync(bot.Id))!.Status is BotStatus.Completed);
    }

    [Fact]
    public async Task A_manager_that_has_lost_a_bot_to_another_one_does_not_say_how_it_ended()
    {
        var bot = await RecordedAsync();
        UseFFmpeg($"echo > {_folder}/runs; until [ -e {_folder}/go ]; do sleep 0.02; done; echo it is no good >&2; exit 1");

        _ended.Enqueue(bot.Id);
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(_folder, "runs")));
        var others = await Store.Commands.UpdateAsync(bot.Id, known => BotLifecycle.EndBegun(known, exit: null));
        await File.WriteAllTextAsync(Path.Combine(_folder, "go"), string.Empty, Cancellation);
        // Its lease is free again, once it has given up.
        await using (await Eventually.NotNullAsync(() => new BotLeases(_redis).TryTakeAsync(bot.Id, Cancellation)))
            Assert.Equivalent(others, await Store.Queries.FindAsync(bot.Id), strict: true);
    }

    /// <summary>A bot that has left one second of audio and no container.</summary>
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
