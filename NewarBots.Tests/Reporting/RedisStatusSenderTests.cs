using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Launching;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Reporting;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Reporting;

public sealed class RedisStatusSenderTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    private readonly SessionId _session = SessionId.New(TimeProvider.System);
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-key-").FullName;
    private readonly StatusOutbox _outbox = new();
    private readonly StopSignal _stop = new(TimeProvider.System);
    private readonly List<Task> _senders = [];
    private readonly MeetingCompanions _companions = new();
    private readonly LogLines<RedisStatusSender> _log = new();

    [Fact]
    public async Task Statuses_are_published_in_order_and_written_to_no_key()
    {
        await using var redis = await server.ConnectAsync();
        var published = await PublishedAsync(redis);
        using var running = Start(server.Configuration);

        foreach (var sequence in Enumerable.Range(100, 5))
            _outbox.Add(Message(sequence, BotStatus.Waiting));
        await _outbox.WhenEmpty().WaitAsync(Timeout);

        await AssertPublishedAsync(published, 100, 101, 102, 103, 104);
        Assert.False(await redis.GetDatabase().KeyExistsAsync(RedisNames.EventStream(_session)));
    }

    [Fact]
    public async Task Statuses_queued_while_Redis_was_unreachable_are_published_later_in_order()
    {
        await using var ownServer = await RedisServer.RunAsync();
        await using var redis = await ownServer.ConnectAsync();
        var published = await PublishedAsync(redis);
        using var running = Start(ownServer.Configuration);
        _outbox.Add(Message(100, BotStatus.Joining));
        await _outbox.WhenEmpty().WaitAsync(Timeout);

        // Clients cannot publish, and keep what they have to say.
        await redis.GetServers()[0].ExecuteAsync("ACL", "SETUSER", "default", "-publish");
        _outbox.Add(Message(101, BotStatus.Waiting));
        foreach (var sequence in Enumerable.Range(102, 1000))
            _outbox.Add(Message(sequence, BotStatus.Recording));
        _outbox.Add(Message(1102, BotStatus.Leaving));
        await redis.GetServers()[0].ExecuteAsync("ACL", "SETUSER", "default", "+publish");
        await _outbox.WhenEmpty().WaitAsync(Timeout);

        await AssertPublishedAsync(published, 100, 101, 1101, 1102);
    }

    [Fact]
    public async Task Waits_for_a_Redis_that_is_unreachable_at_startup_or_restarts()
    {
        await using var ownServer = await RedisServer.RunAsync();
        ownServer.Stop();
        using var running = Start(ownServer.Configuration);
        _outbox.Add(Message(100, BotStatus.Joining));
        await ownServer.StartAsync();
        await _outbox.WhenEmpty().WaitAsync(Timeout);

        ownServer.Stop();
        _outbox.Add(Message(101, BotStatus.Waiting));
        await ownServer.StartAsync();
        await _outbox.WhenEmpty().WaitAsync(Timeout);
    }

    /// <summary>Each container starts before the manager forwards Redis to it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Redis_is_logged_as_unreachable_only_after_several_retries(bool hasRetried)
    {
        await using var ownServer = await RedisServer.RunAsync();
        ownServer.Stop();
        var time = new FakeTimeProvider();
        using var running = Start(ownServer.Configuration, time);
        _outbox.Add(Message(100, BotStatus.Joining));
        if (hasRetried)
            await Eventually.TrueAsync(() => Retry() && _log.All.Count > 0, Timeout);

        await ownServer.StartAsync();
        await using var redis = await ownServer.ConnectAsync();
        await Eventually.TrueAsync(
            async () => $"{await redis.GetServers()[0].ExecuteAsync("CLIENT", "LIST")}".Contains("newarbots-recorder", StringComparison.Ordinal), Timeout);
        await Eventually.TrueAsync(() => Retry() && _outbox.WhenEmpty().IsCompleted, Timeout);

        Assert.Equal(hasRetried, _log.All.Any(line => line.Level is LogLevel.Warning && line.Text.StartsWith("Redis is unreachable", StringComparison.Ordinal)));

        bool Retry()
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return true;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_000)]
    public void Retries_the_connection_twice_a_second_without_backoff(int retries)
    {
        var policy = RedisStatusSender.ParseConfiguration(server.Configuration).ReconnectRetryPolicy;

        Assert.True(policy.ShouldRetry(retries, timeElapsedMillisecondsSinceLastRetry: 500));
        Assert.False(policy.ShouldRetry(retries, timeElapsedMillisecondsSinceLastRetry: 250));
    }

    [Fact]
    public async Task A_stop_command_requests_a_stop()
    {
        await using var redis = await server.ConnectAsync();
        using var running = Start(server.Configuration);

        var channel = RedisChannel.Literal(RedisNames.CommandChannel(_session));
        using var timeout = new CancellationTokenSource(Timeout);
        while (await redis.GetSubscriber().PublishAsync(channel, RedisNames.StopCommand) == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, timeout.Token);

        await _stop.Requested.WaitAsync(Timeout);
    }

    [Fact]
    public async Task The_names_of_the_other_bots_are_those_of_the_latest_valid_command()
    {
        await using var redis = await server.ConnectAsync();
        using var running = Start(server.Configuration);
        await UntilSubscribedAsync(redis);
        var first = SampleBots.In(BotStatus.Recording) with { Id = _session, LaunchedAt = SampleBots.Noon };
        var second = SampleBots.In(BotStatus.Recording) with { BotName = "Bert's \"notes\"", LaunchedAt = SampleBots.Noon };
        var announcer = new CompanionAnnouncer(redis, TimeProvider.System);

        await announcer.AnnounceAsync([first, second, SampleBots.In(BotStatus.Recording) with { MeetingUrl = new("https://meet.google.com/xyz-defg-hij"), LaunchedAt = SampleBots.Noon }]);
        await Eventually.TrueAsync(() => _companions.Names is ["Bert's \"notes\""], Timeout);

        await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(_session)), $"{RedisNames.BotNamesCommand}[1");
        await announcer.AnnounceAsync([first, second with { Status = BotStatus.Leaving }]);
        await Eventually.TrueAsync(() => _companions.Names is [], Timeout);
    }

    [Fact]
    public async Task Needs_no_permission_beyond_those_that_the_manager_grants()
    {
        await using var redis = await server.ConnectAsync();
        await redis.GetDatabase().ExecuteAsync("ACL", "LOG", "RESET");
        var published = await PublishedAsync(redis);
        using var running = Start($"{server.Configuration},{await CreateUserAsync(redis)}");

        _outbox.Add(Message(100, BotStatus.Joining));
        await _outbox.WhenEmpty().WaitAsync(Timeout);
        await UntilSubscribedAsync(redis);

        var denied = (RedisResult[])(await redis.GetDatabase().ExecuteAsync("ACL", "LOG"))!;
        Assert.Empty(denied.Select(entry => string.Join(' ', (string[])entry!)));
        await AssertPublishedAsync(published, 100);
    }

    [Fact]
    public async Task Sends_everything_once_a_restarted_Redis_has_the_bots_user_again()
    {
        await using var ownServer = await RedisServer.RunAsync();
        await using var redis = await ownServer.ConnectAsync();
        using var running = Start($"{ownServer.Configuration},{await CreateUserAsync(redis)}");
        _outbox.Add(Message(100, BotStatus.Joining));
        await _outbox.WhenEmpty().WaitAsync(Timeout);

        ownServer.Stop();
        await ownServer.StartAsync();
        _outbox.Add(Message(101, BotStatus.Waiting));
        await using var again = await ownServer.ConnectAsync();
        await CreateUserAsync(again);
        await _outbox.WhenEmpty().WaitAsync(Timeout);

        await UntilSubscribedAsync(again);
    }

    private async Task<string> CreateUserAsync(ConnectionMultiplexer redis)
    {
        var access = new RecorderAccess(redis, new(new(_folder)), NullLogger<RecorderAccess>.Instance);
        var credentials = await access.EnsureAsync(_session);
        return $"user={credentials.User},password={credentials.Password}";
    }

    private async Task UntilSubscribedAsync(ConnectionMultiplexer redis)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        while (await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(_session)), "hello") == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, timeout.Token);
    }

    /// <summary>Fails if a sender has failed.</summary>
    public async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await Task.WhenAll(_senders).WaitAsync(Timeout);
    }

    private RunningSender Start(string configuration, TimeProvider? time = null)
    {
        var running = new RunningSender();
        var sender = new RedisStatusSender(_session, configuration, _outbox, _stop, new(Path.GetTempPath(), TimeProvider.System, NullLogger<LiveScreenshots>.Instance), _companions, time ?? TimeProvider.System, _log);
        _senders.Add(sender.RunAsync(running.Token));
        return running;
    }

    /// <summary>Runs until it is disposed.</summary>
    private sealed class RunningSender : IDisposable
    {
        private readonly CancellationTokenSource _end = new();

        public CancellationToken Token => _end.Token;

        public void Dispose()
        {
            _end.Cancel();
            _end.Dispose();
        }
    }

    private Task<ChannelMessageQueue> PublishedAsync(ConnectionMultiplexer redis) =>
        redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.StatusChannel(_session)));

    private static async Task AssertPublishedAsync(ChannelMessageQueue published, params long[] sequences)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        foreach (var sequence in sequences)
            Assert.Equal(sequence, Sequence((await published.ReadAsync(timeout.Token)).Message));
    }

    private StatusMessage Message(long sequence, BotStatus status) =>
        new(_session, status, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), sequence);

    private static long Sequence(RedisValue json) => JsonSerializer.Deserialize(json.ToString(), ContractJson.Default.StatusMessage)!.Sequence;
}
