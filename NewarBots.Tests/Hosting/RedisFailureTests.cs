using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Hosting;

public sealed class RedisFailureTests(RedisServer server) : IClassFixture<RedisServer>
{
    [Theory]
    [InlineData("CONFIG SET maxmemory 1", true)]
    [InlineData("REPLICAOF 127.0.0.1 1", true)]
    [InlineData("CONFIG SET min-replicas-to-write 1", true)]
    [InlineData("ACL SETUSER default -set", false)]
    [InlineData("LPUSH key element", false)]
    public async Task Temporary_errors_count_as_unavailable_and_permanent_refusals_do_not(string cause, bool isUnavailable)
    {
        await using var redis = await RedisServer.RunAsync();
        await using var connection = await redis.ConnectAsync();
        var words = cause.Split(' ');
        await connection.GetDatabase().ExecuteAsync(words[0], words[1..]);

        // By a script, because the manager writes through scripts only.
        var exception = await Assert.ThrowsAnyAsync<RedisException>(
            () => connection.GetDatabase().ScriptEvaluateAsync("redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], 1)", ["key"]));

        Assert.True(exception.IsRedisUnavailable() == isUnavailable, exception.ToString());
    }

    [Fact]
    public async Task Stopped_Redis_is_unavailable()
    {
        await using var connection = await server.ConnectAsync("connectTimeout=500");
        server.Stop();

        var exception = await Assert.ThrowsAnyAsync<Exception>(() => connection.GetDatabase().PingAsync());

        Assert.True(exception.IsRedisUnavailable(), exception.ToString());
    }
}
