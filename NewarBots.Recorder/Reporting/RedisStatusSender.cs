using System.Text.Json;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Leaving;
using StackExchange.Redis;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Carries the outbox to Redis (stream, then channel) and hears the command channel. It works as the bot's own ACL user, which
/// may do nothing else, and it never holds up the recording: a Redis that is away is tried again until it is back.
/// </summary>
internal sealed partial class RedisStatusSender(
    SessionId session,
    string configuration,
    StatusOutbox outbox,
    StopSignal stop,
    TimeProvider time,
    ILogger<RedisStatusSender> logger)
{
    /// <summary>A connection that is just being made refuses commands for a moment.</summary>
    private static readonly TimeSpan FirstRetryAfter = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    private (long Milliseconds, long Counter) _lastEntry;

    /// <summary>Sends from now on, in the background: nothing waits for Redis.</summary>
    public void Start() => _ = Task.Run(() => RunAsync(CancellationToken.None));

    /// <summary>Sends until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var redis = await ConnectAsync(cancellationToken);
            await Task.WhenAll(ListenAsync(redis, cancellationToken), outbox.SendAsync((message, token) => SendAsync(redis, message, token), cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    /// <summary>
    /// The configuration for a user without any right beyond its own names: nothing is asked of the server about itself. A
    /// command while the connection is down fails at once, because only who sends it knows whether it may be sent again.
    /// </summary>
    internal static ConfigurationOptions ParseConfiguration(string configuration)
    {
        var options = ConfigurationOptions.Parse(configuration);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        // By itself it looks ever more seldom: a manager, through which many reach Redis, was back for seconds before its bots were.
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
                LogAway(exception.Message);
                await Task.Delay(RetryInterval, time, cancellationToken);
            }
        }
    }

    private Task ListenAsync(ConnectionMultiplexer redis, CancellationToken cancellationToken) => RetryAsync(
        () => redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(session)), (_, command) =>
        {
            LogCommand(command);
            if (command == RedisNames.StopCommand)
                stop.Request();
        }),
        cancellationToken);

    private async Task SendAsync(ConnectionMultiplexer redis, StatusMessage message, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.Serialize(message, ContractJson.Default.StatusMessage);
        await AppendAsync(redis, message, json, cancellationToken);
        await RetryAsync(
            () => redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(session)), json),
            cancellationToken);
    }

    /// <summary>
    /// A connection that breaks does not tell whether the entry was made. So each has an id of its own making, and Redis
    /// refuses an id that is not above the last one: refused at the second attempt means made at the first.
    /// </summary>
    private Task AppendAsync(ConnectionMultiplexer redis, StatusMessage message, string json, CancellationToken cancellationToken)
    {
        _lastEntry = message.Timestamp > _lastEntry.Milliseconds ? (message.Timestamp, 0) : (_lastEntry.Milliseconds, _lastEntry.Counter + 1);
        RedisValue id = $"{_lastEntry.Milliseconds}-{_lastEntry.Counter}";
        var isFirstAttempt = true;
        return RetryAsync(
            async () =>
            {
                var wasTried = !isFirstAttempt;
                isFirstAttempt = false;
                try
                {
                    await AddAsync(id);
                }
                catch (RedisServerException exception) when (exception.Message.Contains("equal or smaller", StringComparison.Ordinal))
                {
                    // At the first attempt it means that the manager's clock is ahead of ours.
                    if (wasTried)
                        return;
                    // Redis makes the id, also where this attempt breaks: rather the same entry twice than none.
                    id = "*";
                    await AddAsync(id);
                }
            },
            cancellationToken);

        Task AddAsync(RedisValue entryId) =>
            redis.GetDatabase().StreamAddAsync(RedisNames.EventStream(session), RedisNames.MessageField, json, entryId);
    }

    private async Task RetryAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            try
            {
                await act().WaitAsync(cancellationToken);
                if (failures > 1)
                    LogBack();
                return;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                if (++failures == 2)
                    LogAway(exception.Message);
            }

            await Task.Delay(failures == 1 ? FirstRetryAfter : RetryInterval, time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis is away, status is kept: {Why}")]
    private partial void LogAway(string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis is back")]
    private partial void LogBack();

    [LoggerMessage(Level = LogLevel.Information, Message = "Command: {Command}")]
    private partial void LogCommand(RedisValue command);
}
