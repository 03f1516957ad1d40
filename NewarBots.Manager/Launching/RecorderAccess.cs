using System.Security.Cryptography;
using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Hosting;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// A Redis user for each bot, which can append to its own stream, publish on its own channel and hear its own commands, and
/// nothing else. Its password is not kept anywhere: it follows from the session id and a key that lies with the recordings. So any
/// manager can restore the very same user for a bot that is in the middle of a meeting, when Redis has lost it in a restart; and
/// Redis itself, whatever becomes of it, holds nothing that is needed for that.
/// </summary>
internal sealed partial class RecorderAccess(IConnectionMultiplexer redis, RecorderAccessKey key, ILogger<RecorderAccess> logger)
{
    private int _warned;

    /// <summary>Makes the bot's user, or sets it back to what it has to be. A bot that is connected by it notices nothing.</summary>
    /// <exception cref="RedisException">Redis is away, or does not let the manager make users.</exception>
    public async Task<RecorderCredentials> EnsureAsync(SessionId id)
    {
        if (ConfigurationOptions.Parse(redis.Configuration).Password is null or "" && Interlocked.Exchange(ref _warned, 1) == 0)
            Log.OpenToAnybody(logger);
        var credentials = Credentials(id);
        string[] rules =
        [
            "reset", "resetchannels", "on", $"#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(credentials.Password)))}",
            $"~{RedisNames.EventStream(id)}", $"&{RedisNames.StatusChannel(id)}", $"&{RedisNames.CommandChannel(id)}",
            "+xadd", "+publish", "+subscribe", "+unsubscribe",
            "+ping", "+echo", "+auth", "+hello", "+client|setname", "+client|id",
        ];
        await OnEveryServerAsync(["SETUSER", credentials.User, .. rules]);
        return credentials;
    }

    /// <summary>
    /// Ends the bot's user and whatever is connected by it. Nothing happens where there is none, or where Redis does not let the manager
    /// remove users: no bot's end waits for that.
    /// </summary>
    /// <exception cref="RedisException">Redis is away.</exception>
    public async Task RemoveAsync(SessionId id)
    {
        try
        {
            await OnEveryServerAsync(["DELUSER", UserOf(id)]);
        }
        catch (RedisServerException exception) when (!exception.IsRedisAway())
        {
            Log.NotRemoved(logger, id, exception.Message);
        }
    }

    private RecorderCredentials Credentials(SessionId id) =>
        new(UserOf(id), Convert.ToHexStringLower(HMACSHA256.HashData(key.Bytes, Encoding.UTF8.GetBytes(id.ToString()))));

    private static string UserOf(SessionId id) => $"newarbots-bot-{id}";

    /// <summary>
    /// Redis does not replicate its users: each server has its own. One that is away, a replica for example, is left out; reconciliation,
    /// which comes as soon as it is back, makes the users there that are missing.
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
        [LoggerMessage(LogLevel.Error, "Redis does not let the manager remove the user of bot {SessionId}, which stays: {Why}")]
        public static partial void NotRemoved(ILogger logger, SessionId sessionId, string why);

        [LoggerMessage(
            LogLevel.Warning,
            "Redis lets everybody in without a password, so the bots' own users hold back nobody. Give it one (requirepass), "
            + "and add it to ConnectionStrings:redis.")]
        public static partial void OpenToAnybody(ILogger logger);
    }
}
