using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

public sealed class RecorderAccessTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly string _storage = Directory.CreateTempSubdirectory("newarbots-access-").FullName;
    private readonly SessionId _id = SessionId.New(TimeProvider.System);
    private ConnectionMultiplexer _manager = null!;

    private RecorderAccess Access => new(
        _manager, new RecorderAccessKey(new StorageLayout(_storage)), NullLogger<RecorderAccess>.Instance);

    public async ValueTask InitializeAsync() => _manager = await server.ConnectAsync();

    public async ValueTask DisposeAsync()
    {
        await _manager.DisposeAsync();
        Directory.Delete(_storage, recursive: true);
    }

    [Fact]
    public async Task A_bot_appends_to_its_stream_publishes_its_status_and_hears_its_commands()
    {
        await using var bot = await ConnectAsync(await Access.EnsureAsync(_id));
        var commands = await bot.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_id)));
        var statuses = await _manager.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.StatusChannel(_id)));

        await bot.GetDatabase().StreamAddAsync(RedisNames.EventStream(_id), RedisNames.MessageField, "joining");
        await bot.GetDatabase().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(_id)), "joining");
        await _manager.GetDatabase().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(_id)), RedisNames.StopCommand);

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Assert.Equal(RedisNames.StopCommand, (await commands.ReadAsync(deadline.Token)).Message);
        Assert.Equal("joining", (await statuses.ReadAsync(deadline.Token)).Message);
        Assert.Equal(1, await _manager.GetDatabase().StreamLengthAsync(RedisNames.EventStream(_id)));
    }

    [Fact]
    public async Task A_bot_can_do_nothing_else()
    {
        var other = SessionId.New(TimeProvider.System);
        var (user, password) = await Access.EnsureAsync(_id);
        // Not as the recorder connects: whoever took it over would not keep to the commands that its client knows.
        await using var bot = await server.ConnectAsync($"user={user},password={password},allowAdmin=true");
        var database = bot.GetDatabase();
        Func<Task>[] attempts =
        [
            () => database.StreamAddAsync(RedisNames.EventStream(other), RedisNames.MessageField, "x"),
            () => database.PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(other)), "x"),
            () => database.PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(other)), "x"),
            () => bot.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(other))),
            () => bot.GetSubscriber().SubscribeAsync(RedisChannel.Pattern("bot:*")),
            () => database.StreamReadAsync(RedisNames.EventStream(_id), "0-0"),
            () => database.KeyDeleteAsync(RedisNames.EventStream(_id)),
            () => database.ExecuteAsync("GET", "x"),
            () => database.ExecuteAsync("SET", "x", "y"),
            () => database.ExecuteAsync("KEYS", "*"),
            () => database.ExecuteAsync("EVAL", "return 1", "0"),
            () => database.ExecuteAsync("ACL", "LIST"),
            () => database.ExecuteAsync("CLIENT", "LIST"),
            () => database.ExecuteAsync("CONFIG", "GET", "*"),
            () => database.ExecuteAsync("FLUSHALL"),
        ];

        foreach (var attempt in attempts)
            await Assert.ThrowsAnyAsync<RedisException>(attempt);

        Assert.True(bot.IsConnected);
    }

    [Fact]
    public async Task Where_Redis_has_a_password_a_bot_gets_in_by_its_own_only()
    {
        await using var closed = await RedisServer.RunAsync();
        await using var manager = await closed.ConnectAsync();
        await manager.GetServers()[0].ExecuteAsync("CONFIG", "SET", "requirepass", "of-the-manager");
        var credentials = await new RecorderAccess(
            manager, new RecorderAccessKey(new StorageLayout(_storage)), NullLogger<RecorderAccess>.Instance).EnsureAsync(_id);

        await using var bot = await ConnectAsync(credentials, closed);
        await using var stranger = await ConnectAsync(credentials with { Password = "wrong" }, closed);

        Assert.True(bot.IsConnected);
        Assert.False(stranger.IsConnected);
    }

    [Fact]
    public async Task The_very_same_user_comes_back_after_Redis_has_lost_it()
    {
        var credentials = await Access.EnsureAsync(_id);
        await Access.RemoveAsync(_id);

        var anotherManager = Access;

        Assert.Equal(credentials, await anotherManager.EnsureAsync(_id));
        await using var bot = await ConnectAsync(credentials);
        Assert.True(bot.IsConnected);
    }

    [Fact]
    public async Task A_bot_that_is_connected_notices_nothing_when_its_user_is_made_again()
    {
        await using var bot = await ConnectAsync(await Access.EnsureAsync(_id));
        var lost = 0;
        bot.ConnectionFailed += (_, _) => Interlocked.Increment(ref lost);
        var commands = await bot.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_id)));

        await Access.EnsureAsync(_id);

        await _manager.GetDatabase().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(_id)), "still there");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Assert.Equal("still there", (await commands.ReadAsync(deadline.Token)).Message);
        Assert.Equal(0, lost);
    }

    [Fact]
    public async Task A_user_ends_with_its_bot_and_ending_it_twice_does_no_harm()
    {
        await Access.EnsureAsync(_id);

        await Access.RemoveAsync(_id);
        await Access.RemoveAsync(_id);

        Assert.DoesNotContain(await UsersAsync(), user => user.Contains(_id.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_of_several_that_is_away_holds_nobody_up()
    {
        await using var replica = await RedisServer.RunAsync();
        await using var both = await ConnectionMultiplexer.ConnectAsync($"{server.Configuration},{replica.Configuration},allowAdmin=true");
        var access = new RecorderAccess(both, new RecorderAccessKey(new StorageLayout(_storage)), NullLogger<RecorderAccess>.Instance);
        replica.Stop();
        await Eventually.TrueAsync(() => both.GetServers().Any(one => !one.IsConnected));

        await access.EnsureAsync(_id);
        Assert.Contains(await UsersAsync(), user => user.Contains(_id.ToString(), StringComparison.Ordinal));
        await access.RemoveAsync(_id);
        Assert.DoesNotContain(await UsersAsync(), user => user.Contains(_id.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_manager_that_may_not_make_users_hears_a_refusal_and_not_that_Redis_is_away()
    {
        await using var restricted = await RedisServer.RunAsync();
        await using var manager = await restricted.ConnectAsManagerWithoutAclAsync();
        var access = new RecorderAccess(manager, new RecorderAccessKey(new StorageLayout(_storage)), NullLogger<RecorderAccess>.Instance);

        Assert.False((await Assert.ThrowsAsync<RedisServerException>(() => access.EnsureAsync(_id))).IsRedisAway());
        await access.RemoveAsync(_id);
    }

    [Fact]
    public async Task The_password_is_nowhere_in_Redis()
    {
        var credentials = await Access.EnsureAsync(_id);

        Assert.DoesNotContain(await UsersAsync(), user => user.Contains(credentials.Password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Managers_that_start_together_on_one_storage_agree_on_the_key()
    {
        var credentials = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Access.EnsureAsync(_id))));

        Assert.Single(credentials.Distinct());
        var key = Assert.Single(Directory.GetFiles(_storage));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
    }

    /// <summary>As the recorder connects: with what the briefing says, and nothing more.</summary>
    private async Task<ConnectionMultiplexer> ConnectAsync(RecorderCredentials credentials, RedisServer? redis = null)
    {
        var url = RecorderBriefingTests.Briefing(("Launching:RecorderRedis", (redis ?? server).Configuration))
            .For(SampleBots.Launchable("https://meet.google.com/abc-defg-hij"), credentials, traceParent: null).RedisUrl!;
        return await ConnectionMultiplexer.ConnectAsync(url);
    }

    private async Task<string[]> UsersAsync() => (string[])(await _manager.GetDatabase().ExecuteAsync("ACL", "LIST"))!;
}
