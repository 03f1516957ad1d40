using System.Security.Cryptography;
using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Creates a Redis user for each bot. It can publish on the bot's channels and subscribe to them, and nothing else: it reads and writes no key.
/// The password is derived from the session id and a key in the storage folder, and is stored nowhere. So any manager can restore the same user
/// for a bot in mid-meeting after a restart of Redis has lost it.
/// </summary>
internal sealed partial class RecorderAccess(IConnectionMultiplexer redis, RecorderAccessKey key, ILogger<RecorderAccess> logger)
{
    private int _warned;

    /// <summary>Creates the bot's user or resets its rights. Does not disturb a bot that is connected.</summary>
    /// <exception cref="RedisException">Redis is unreachable, or the manager may not create users.</exception>
    public async Task<RecorderCredentials> EnsureAsync(SessionId id)
    {
        if (ConfigurationOptions.Parse(redis.Configuration).Password is null or "" && Interlocked.Exchange(ref _warned, 1) == 0)
            Log.NoPassword(logger);
        var credentials = Credentials(id);
        string[] rules =
        [
            "reset", "resetchannels", "on", $"#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(credentials.Password)))}",
            $"&{RedisNames.StatusChannel(id)}", $"&{RedisNames.CommandChannel(id)}",
            "+publish", "+subscribe", "+unsubscribe", "+ping", "+echo", "+client|setname", "+client|id",
        ];
        await OnEveryServerAsync(["SETUSER", credentials.User, .. rules]);
        return credentials;
    }

    /// <summary>
    /// Deletes the bot's user and closes its connections. Idempotent. If the manager may not delete users, only logs that, because it must not
    /// hold up the bot's end.
    /// </summary>
    /// <exception cref="RedisException">Redis is unreachable.</exception>
    public async Task RemoveAsync(SessionId id)
    {
        try
        {
            await OnEveryServerAsync(["DELUSER", UserOf(id)]);
        }
        catch (RedisServerException exception) when (!exception.IsRedisUnavailable())
        {
            Log.NotRemoved(logger, id, exception.Message);
        }
    }

    private RecorderCredentials Credentials(SessionId id) =>
        new(UserOf(id), Convert.ToHexStringLower(HMACSHA256.HashData(key.Bytes, Encoding.UTF8.GetBytes(id.ToString()))));

    private static string UserOf(SessionId id) => $"newarbots-bot-{id}";

    /// <summary>
    /// Redis does not replicate users: each server has its own. Unreachable servers, such as a replica, are skipped. Reconciliation, which runs
    /// when they are back, creates their missing users.
    /// </summary>
    private async Task OnEveryServerAsync(object[] arguments)
    {
        var servers = redis.GetServers().Where(server => server.IsConnected).ToList();
        if (servers.Count == 0)
            throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.None, "Redis cannot be reached.");
        await Task.WhenAll(servers.Select(server => server.ExecuteAsync("ACL", arguments)));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Redis refused to delete the user of bot {SessionId}, so it remains: {Why}")]
        public static partial void NotRemoved(ILogger logger, SessionId sessionId, string why);

        [LoggerMessage(
            LogLevel.Warning,
            "Redis accepts connections without a password, so the bots' restricted users protect nothing. Set a password (requirepass) "
            + "and add it to ConnectionStrings:redis.")]
        public static partial void NoPassword(ILogger logger);
    }
}

/// <summary>The name and password of a bot's Redis user.</summary>
internal sealed record RecorderCredentials(string User, string Password);

/// <summary>
/// The key that the bots' passwords are derived from: 32 random bytes in <c>.recorder-access-key</c> of the storage folder, readable only by the
/// managers. The first manager that needs the key creates it. No bot sees that folder.
/// </summary>
internal sealed class RecorderAccessKey(StorageLayout storage)
{
    private const int Length = 32;

    // A failure is not cached: the next bot retries.
    private readonly Lazy<byte[]> _bytes = new(
        () => ReadOrCreate(Path.Combine(storage.Root, ".recorder-access-key")), LazyThreadSafetyMode.PublicationOnly);

    public ReadOnlySpan<byte> Bytes => _bytes.Value;

    private static byte[] ReadOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            PrivateFile.WriteOnce(path, file => file.Write(RandomNumberGenerator.GetBytes(Length)));
        }

        var bytes = File.ReadAllBytes(path);
        return bytes.Length == Length
            ? bytes
            : throw new InvalidDataException($"{path} does not have {Length} bytes. Remove it, and a new one is created.");
    }
}
