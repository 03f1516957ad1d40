using System.Security.Cryptography;
using CliWrap;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Finalizing;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Page;

/// <summary>Bots that have ended, laid into Redis and onto the disk as if each had lived.</summary>
internal static class PlacedBots
{
    private static readonly byte[] Picture = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    /// <summary>One that recorded a minute, with gaps and two speakers.</summary>
    /// <param name="host">Whose.</param>
    /// <param name="name">All that others may name: the bot, what is kept with it, the meeting, the speakers.</param>
    public static async Task<SessionId> RecordedAsync(QueueingManager host, string name)
    {
        var storage = new StorageLayout(host.Manager.Storage);
        var ended = TimeProvider.System.GetUtcNow();
        var bot = SampleBots.Queued($"https://meet.google.com/rehearsal/?scenario={Uri.EscapeDataString(name)}") with
        {
            Status = BotStatus.Completed,
            Reason = EndReason.BrowserCrashed,
            BotName = name,
            Metadata = new Dictionary<string, string> { [name] = name },
            CreatedAt = ended.AddSeconds(-70),
            JoiningAt = ended.AddSeconds(-66),
            RecordingAt = ended.AddSeconds(-61),
            EndedAt = ended,
            Chunks = 6,
            RecordedSeconds = 60,
            AudibleSeconds = 41,
            Error = $"The page is no call any more: https://meet.google.com/ \"{name}\" shows [].",
        };
        var recording = storage.Recording(bot.UserId, bot.Id);
        Directory.CreateDirectory(storage.FinalFolder(bot.UserId));
        await Cli.Wrap("ffmpeg")
            .WithArguments(["-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=300:duration=60", "-c:a", "libopus", "-b:a", "24k", recording])
            .ExecuteAsync();
        bot = bot with { Recording = new("ogg", new FileInfo(recording).Length, 60, Complete: false) };
        await using (var manifest = File.Create(storage.Manifest(bot.UserId, bot.Id)))
        {
            new RecordingManifest
            {
                SessionId = bot.Id,
                UserId = bot.UserId,
                MeetingUrl = bot.MeetingUrl,
                BotName = bot.BotName,
                Platform = bot.Platform,
                Metadata = bot.Metadata,
                Reason = bot.Reason,
                Complete = false,
                StartedAt = bot.RecordingAt,
                EndedAt = ended,
                DurationSeconds = 60,
                AudibleSeconds = 41,
                Format = "ogg",
                Bytes = bot.Recording.Bytes,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(recording))),
                Chunks = [],
                Gaps = [new(20, 24.5, "browser_restarted"), new(50, 52, name)],
                Speakers = [new("track:1", name, 12, [new(0, 8, -20), new(30, 34, -24)]), new(name, Name: null, 9, [new(9, 18, -30)])],
                Ignored = [],
            }.Write(manifest);
        }

        await File.WriteAllTextAsync(storage.Log(bot.UserId, bot.Id), name);
        await PlaceAsync(host, bot);
        return bot.Id;
    }

    /// <summary>One that was refused by the host, with a picture of that.</summary>
    public static async Task<SessionId> RefusedAsync(QueueingManager host)
    {
        var ended = TimeProvider.System.GetUtcNow();
        var bot = SampleBots.Queued() with
        {
            Status = BotStatus.Failed,
            Reason = EndReason.DeniedByHost,
            CreatedAt = ended.AddSeconds(-20),
            JoiningAt = ended.AddSeconds(-15),
            EndedAt = ended,
            Error = "The page shows denied.request.",
        };
        var storage = new StorageLayout(host.Manager.Storage);
        var folder = Directory.CreateDirectory(Path.Combine(storage.Evidence(bot.UserId, bot.Id), "1_denied_by_host"));
        await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "screenshot.png"), Picture);
        await File.WriteAllTextAsync(storage.Log(bot.UserId, bot.Id), "Joining");
        await PlaceAsync(host, bot);
        return bot.Id;
    }

    private static async Task PlaceAsync(QueueingManager host, Bot bot)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(host.Redis.Configuration);
        using var metrics = new MetricsProbe();
        var store = new BotStore(connection, metrics.Bots, Outboxes.Unused(TimeProvider.System), TimeProvider.System, NullLogger<BotStore>.Instance);
        Assert.True(await store.AdoptAsync(bot));
    }
}
