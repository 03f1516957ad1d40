using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots.Storage;

public sealed class BotLeasesTests(RedisServer redis) : IClassFixture<RedisServer>
{
    private static readonly SessionId Id = SessionId.New(TimeProvider.System);

    [Fact]
    public async Task Lease_of_a_crashed_manager_can_be_taken_by_another_within_15_seconds()
    {
        await using var own = await redis.ConnectAsync();
        var mortal = await redis.ConnectAsync();
        var survivor = new BotLeases(own);
        await using (await survivor.TryTakeAsync(Id, TestContext.Current.CancellationToken))
            Assert.Null(await new BotLeases(mortal).TryTakeAsync(Id, TestContext.Current.CancellationToken));

        var held = await new BotLeases(mortal).TryTakeAsync(Id, TestContext.Current.CancellationToken);
        Assert.NotNull(held);
        Assert.Null(await survivor.TryTakeAsync(Id, TestContext.Current.CancellationToken));
        Assert.InRange((await own.GetDatabase().KeyTimeToLiveAsync($"newarbots:lease:{Id}"))!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        await mortal.DisposeAsync();

        await using var taken = await Eventually.NotNullAsync(
            () => survivor.TryTakeAsync(Id, TestContext.Current.CancellationToken), TimeSpan.FromSeconds(60));
        Assert.False(taken.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task Losing_a_lease_cancels_its_token()
    {
        await using var connection = await redis.ConnectAsync();
        await using var lease = await new BotLeases(connection).TryTakeAsync(SessionId.New(TimeProvider.System), TestContext.Current.CancellationToken);

        await connection.GetServers()[0].FlushAllDatabasesAsync();

        await Eventually.TrueAsync(() => Task.FromResult(lease!.Lost.IsCancellationRequested), TimeSpan.FromSeconds(60));
    }
}
