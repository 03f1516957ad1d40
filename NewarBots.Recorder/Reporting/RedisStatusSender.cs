using System.Text.Json;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using StackExchange.Redis;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Publishes the outbox on the bot's status channel and listens to its command channel, as the bot's own restricted ACL user. Publishing wakes
/// the managers, which read the journal. It never blocks the recording: if Redis is unreachable, it retries until Redis is back. A message that was
/// under way when a connection broke may be published twice.
/// </summary>
internal sealed partial class RedisStatusSender(
    SessionId session,
    string configuration,
    StatusOutbox outbox,
    StopSignal stop,
    LiveScreenshots screenshots,
    MeetingCompanions companions,
    TimeProvider time,
    ILogger<RedisStatusSender> logger)
{
    /// <summary>A connection that is being established rejects commands for a moment.</summary>
    private static readonly TimeSpan FirstRetryInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>About 2 s. Shorter outages are normal, for example at the start, until the manager forwards Redis to this container.</summary>
    private const int FailuresBeforeWarning = 5;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Starts sending in the background.</summary>
    public void Start() => _ = Task.Run(() => RunAsync(CancellationToken.None));

    /// <summary>Sends until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var redis = await ConnectAsync(cancellationToken);
            await Task.WhenAll(ListenAsync(redis, cancellationToken), outbox.SendAsync((message, token) => SendAsync(redis, message, token), cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Cancelled by the caller.
        }
    }

    /// <summary>
    /// The configuration for a user that may only use its own stream and channels, so the client must not query the server's settings.
    /// Commands fail at once while disconnected, because only the caller knows whether a retry is safe.
    /// </summary>
    internal static ConfigurationOptions ParseConfiguration(string configuration)
    {
        var options = ConfigurationOptions.Parse(configuration);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        // The default backs off exponentially: after a restart of the manager's relay, bots reconnected only seconds later.
        options.ReconnectRetryPolicy = new LinearRetry((int)RetryInterval.TotalMilliseconds);
        options.ClientName = "newarbots-recorder";
        options.ConfigurationChannel = string.Empty;
        options.TieBreaker = string.Empty;
        options.SetClientLibrary = false;
        options.DefaultVersion = new(7, 0);
        options.CommandMap = CommandMap.Create(["INFO", "CONFIG", "CLUSTER", "SENTINEL", "GET", "EXISTS"], available: false);
        return options;
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        var options = ParseConfiguration(configuration);
        while (true)
        {
            try
            {
                return await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);
            }
            catch (RedisException exception)
            {
                LogUnreachable(exception.Message);
                await Task.Delay(RetryInterval, time, cancellationToken);
            }
        }
    }

    private Task ListenAsync(ConnectionMultiplexer redis, CancellationToken cancellationToken) => RetryAsync(
        () => redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(session)), (_, command) =>
        {
            if ($"{command}" is var text && text.StartsWith(RedisNames.BotNamesCommand, StringComparison.Ordinal))
            {
                SetBotNames(text[RedisNames.BotNamesCommand.Length..]);
                return;
            }

            LogCommand(command);
            if (command == RedisNames.StopCommand)
                stop.Request();
            else if (command == RedisNames.ScreenshotCommand)
                screenshots.Request();
        }),
        cancellationToken);

    private void SetBotNames(string json)
    {
        try
        {
            var names = JsonSerializer.Deserialize(json, ContractJson.Default.StringArray) ?? [];
            if (!names.SequenceEqual(companions.Names))
                LogBots(names.Length, json);
            companions.Names = names;
        }
        catch (JsonException exception)
        {
            LogInvalidBots(exception.Message);
        }
    }

    private Task SendAsync(ConnectionMultiplexer redis, StatusMessage message, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.Serialize(message, ContractJson.Default.StatusMessage);
        return RetryAsync(
            () => redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(session)), json),
            cancellationToken);
    }

    private async Task RetryAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            try
            {
                await act().WaitAsync(cancellationToken);
                if (failures >= FailuresBeforeWarning)
                    LogReachable();
                return;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                if (++failures == FailuresBeforeWarning)
                    LogUnreachable(exception.Message);
            }

            await Task.Delay(failures == 1 ? FirstRetryInterval : RetryInterval, time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis is unreachable, status messages are queued until it is back: {Error}")]
    private partial void LogUnreachable(string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis is reachable again")]
    private partial void LogReachable();

    [LoggerMessage(Level = LogLevel.Information, Message = "Received command {Command}")]
    private partial void LogCommand(RedisValue command);

    [LoggerMessage(Level = LogLevel.Information, Message = "The manager has sent {Count} other bots to this meeting: {Names}")]
    private partial void LogBots(int count, string names);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The names of the other bots are invalid, keeping the previous ones: {Error}")]
    private partial void LogInvalidBots(string error);
}
