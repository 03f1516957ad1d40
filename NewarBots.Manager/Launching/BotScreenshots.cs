using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Screenshots of live bots. The recorder takes one when it is asked to, and writes it to its session folder. It is untrusted, so the size is limited, and only
/// the signature decides what the file is.
/// </summary>
internal sealed class BotScreenshots(IConnectionMultiplexer redis, StorageLayout storage, TimeProvider time)
{
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>A picture of this age is not taken again, however many callers ask.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>A recorder ignores requests for a second after each picture.</summary>
    private static readonly TimeSpan RequestInterval = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private static readonly (string ContentType, byte[] Signature)[] Formats =
        [("image/jpeg", [0xff, 0xd8, 0xff]), ("image/png", [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a])];

    /// <returns><see langword="null"/> if the recorder did not write a picture in time.</returns>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public async Task<BotScreenshot?> TakeAsync(Bot bot, CancellationToken cancellation)
    {
        var earlier = VersionOf(bot);
        if (earlier is { } recent && time.GetUtcNow() - recent.WrittenAt is { } age && age >= TimeSpan.Zero && age < MaxAge)
            return Read(bot);
        var startedAt = time.GetTimestamp();
        var requests = 0;
        while (VersionOf(bot) is not { } version || version == earlier)
        {
            if (time.GetElapsedTime(startedAt) >= Timeout)
                return null;
            if (time.GetElapsedTime(startedAt) >= requests * RequestInterval)
            {
                await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(bot.Id)), RedisNames.ScreenshotCommand);
                requests++;
            }

            await Task.Delay(PollInterval, time, cancellation);
        }

        return Read(bot);
    }

    /// <returns>The content type of an image; <see langword="null"/> for anything else.</returns>
    public static string? TypeOf(ReadOnlySpan<byte> content)
    {
        foreach (var (type, signature) in Formats)
        {
            if (content.StartsWith(signature))
                return type;
        }

        return null;
    }

    private (ulong Inode, DateTimeOffset WrittenAt)? VersionOf(Bot bot)
    {
        using var file = Open(bot);
        return file is null ? null : (file.Inode, file.WrittenAt);
    }

    private BotScreenshot? Read(Bot bot)
    {
        using var file = Open(bot);
        if (file?.Length is not (> 0 and <= MaxBytes and var length))
            return null;
        var content = new byte[length];
        var read = 0;
        while (read < content.Length && file.Read(content.AsSpan(read), read) is > 0 and var more)
            read += more;
        return read == content.Length && TypeOf(content) is { } type ? new(content, type) : null;
    }

    private UntrustedFile? Open(Bot bot)
    {
        using var folder = UntrustedFolder.Open(storage, bot.UserId, bot.Id, out _);
        return folder?.OpenFile(StorageLayout.ScreenshotName, out _);
    }
}

/// <param name="Content">The picture.</param>
/// <param name="ContentType">Its type, by its signature.</param>
internal sealed record BotScreenshot(byte[] Content, string ContentType);
