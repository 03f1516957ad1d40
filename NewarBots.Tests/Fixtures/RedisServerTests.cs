namespace NewarBots.Tests.Fixtures;

public sealed class RedisServerTests
{
    [Fact]
    public async Task A_stopped_server_restarts_on_the_same_port_with_its_data()
    {
        await using var server = await RedisServer.RunAsync();
        await using (var before = await server.ConnectAsync())
            await before.GetDatabase().StringSetAsync("key", "value");

        server.Stop();
        await server.StartAsync();

        await using var after = await server.ConnectAsync();
        Assert.Equal("value", await after.GetDatabase().StringGetAsync("key"));
    }
}
