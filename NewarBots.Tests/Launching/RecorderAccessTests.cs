using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
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
    public async Task A_bot_can_publish_its_status_and_receive_its_commands()
    {
        await using var bot = await ConnectAsync(await Access.EnsureAsync(_id));
        var commands = await bot.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_id)));
        var statuses = await _manager.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.StatusChannel(_id)));

        await bot.GetDatabase().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(_id)), "joining");
        await _manager.GetDatabase().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(_id)), RedisNames.StopCommand);

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Assert.Equal(RedisNames.StopCommand, (await commands.ReadAsync(deadline.Token)).Message);
        Assert.Equal("joining", (await statuses.ReadAsync(deadline.Token)).Message);
    }

    [Fact]
    public async Task A_bot_can_do_nothing_else()
    {
        var other = SessionId.New(TimeProvider.System);
        var (user, password) = await Access.EnsureAsync(_id);
        // With all commands, unlike the recorder: an attacker who took it over would not use its client.
        await using var bot = await server.ConnectAsync($"user={user},password={password},allowAdmin=true");
        var database = bot.GetDatabase();
        Func<Task>[] attempts =
        [
            () => database.StreamAddAsync(RedisNames.EventStream(other), RedisNames.MessageField, "x"),
            () => database.StreamAddAsync(RedisNames.EventStream(_id), RedisNames.MessageField, "x"),
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
    public async Task A_bot_can_connect_only_with_its_own_password_if_Redis_has_one()
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
    public async Task The_same_user_is_restored_after_Redis_has_lost_it()
    {
        var credentials = await Access.EnsureAsync(_id);
        await Access.RemoveAsync(_id);

        var anotherManager = Access;

        Assert.Equal(credentials, await anotherManager.EnsureAsync(_id));
        await using var bot = await ConnectAsync(credentials);
        Assert.True(bot.IsConnected);
    }

    [Fact]
    public async Task A_connected_bot_is_not_disturbed_when_its_user_is_recreated()
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
    public async Task An_unreachable_replica_does_not_block_users_on_the_other_servers()
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
    public async Task A_missing_right_to_create_users_is_not_reported_as_an_unreachable_Redis()
    {
        await using var restricted = await RedisServer.RunAsync();
        await using var manager = await restricted.ConnectAsManagerWithoutAclAsync();
        var access = new RecorderAccess(manager, new RecorderAccessKey(new StorageLayout(_storage)), NullLogger<RecorderAccess>.Instance);

        Assert.False((await Assert.ThrowsAsync<RedisServerException>(() => access.EnsureAsync(_id))).IsRedisUnavailable());
        await access.RemoveAsync(_id);
    }

    [Fact]
    public async Task The_password_is_not_stored_in_Redis()
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

    /// <summary>Connects with the URL from the recorder's environment.</summary>
    private async Task<ConnectionMultiplexer> ConnectAsync(RecorderCredentials credentials, RedisServer? redis = null)
    {
        var url = RecorderAssignmentsTests.Factory(("Launching:RecorderRedis", (redis ?? server).Configuration))
            .Create(SampleBots.Launchable("https://meet.google.com/abc-defg-hij"), credentials, traceParent: null).RedisUrl!;
        return await ConnectionMultiplexer.ConnectAsync(url);
    }

    private async Task<string[]> UsersAsync() => (string[])(await _manager.GetDatabase().ExecuteAsync("ACL", "LIST"))!;
}
