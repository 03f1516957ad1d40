using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Bots.Events;

public sealed class EventStreamReadingTests(RedisServer server) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task Message_that_is_too_long_is_omitted_by_Redis_and_skipped()
    {
        await using var connection = await server.ConnectAsync();
        var redis = connection.GetDatabase();
        var id = SessionId.New(TimeProvider.System);
        var stream = RedisNames.EventStream(id);
        var huge = new string('x', 20_000_000);
        RedisValue[] ids =
        [
            await redis.StreamAddAsync(stream, RedisNames.MessageField, "first"),
            await redis.StreamAddAsync(stream, RedisNames.MessageField, huge),
            await redis.StreamAddAsync(stream, [new(huge, "1"), new("other", huge)]),
            await redis.StreamAddAsync(stream, [new("other", huge), new(RedisNames.MessageField, "last")]),
        ];

        var read = await redis.ReadEventsAsync(id, "0-0", atMost: 10);

        Assert.Equal(
            [new(ids[0]!, "first"), new(ids[1]!, string.Empty), new(ids[2]!, string.Empty), new(ids[3]!, "last")],
            read);
        Assert.Equal([new(ids[1]!, string.Empty)], await redis.ReadEventsAsync(id, ids[0]!, atMost: 1));
    }
}
