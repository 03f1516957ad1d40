using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

public sealed class CompanionAnnouncerTests(RedisServer server) : IClassFixture<RedisServer>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new(SampleBots.Noon);
    private readonly Bot _bot = SampleBots.In(BotStatus.Joining) with { LaunchedAt = SampleBots.Noon };
    private readonly Bot _third = SampleBots.In(BotStatus.Recording) with { BotName = "Notes", LaunchedAt = SampleBots.Noon };
    private readonly Bot _other = SampleBots.In(BotStatus.Recording) with { BotName = "Minutes", LaunchedAt = SampleBots.Noon };

    [Fact]
    public async Task A_bot_learns_the_names_of_the_others_when_they_come_and_go_and_when_its_status_changes()
    {
        await using var redis = await server.ConnectAsync();
        var commands = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_bot.Id)));
        var announcer = new CompanionAnnouncer(redis, _time);

        await announcer.AnnounceAsync([_bot]);
        await announcer.AnnounceAsync([_bot, _other, SampleBots.In(BotStatus.Queued)]);
        await announcer.AnnounceAsync([_bot, _other]);
        await AssertNextAsync(commands, """bots ["Minutes"]""");

        await announcer.AnnounceAsync([_bot with { Status = BotStatus.Recording }, _other]);
        await AssertNextAsync(commands, """bots ["Minutes"]""");

        await announcer.AnnounceAsync([_bot with { Status = BotStatus.Recording }, _other with { Status = BotStatus.Finalizing }]);
        await AssertNextAsync(commands, "bots []");
    }

    [Fact]
    public async Task The_names_are_sent_again_after_half_a_minute()
    {
        await using var redis = await server.ConnectAsync();
        var commands = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_bot.Id)));
        var announcer = new CompanionAnnouncer(redis, _time);
        await announcer.AnnounceAsync([_bot, _other]);
        await AssertNextAsync(commands, """bots ["Minutes"]""");

        _time.Advance(TimeSpan.FromSeconds(29));
        await announcer.AnnounceAsync([_bot, _other]);
        _time.Advance(TimeSpan.FromSeconds(1));
        await announcer.AnnounceAsync([_bot, _other, _third]);
        await AssertNextAsync(commands, """bots ["Minutes","Notes"]""");

        _time.Advance(TimeSpan.FromSeconds(30));
        await announcer.AnnounceAsync([_bot, _other]);
        await AssertNextAsync(commands, """bots ["Minutes"]""");
        _time.Advance(TimeSpan.FromSeconds(30));
        await announcer.AnnounceAsync([_bot, _other]);
        await AssertNextAsync(commands, """bots ["Minutes"]""");
    }

    [Fact]
    public async Task A_bot_that_is_not_in_the_call_is_not_named_because_a_participant_may_have_its_name()
    {
        await using var redis = await server.ConnectAsync();
        var commands = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisNames.CommandChannel(_bot.Id)));
        var announcer = new CompanionAnnouncer(redis, _time);

        await announcer.AnnounceAsync([_bot, _third with { Status = BotStatus.Joining }]);
        await announcer.AnnounceAsync([_bot, _third with { Status = BotStatus.Waiting }]);
        await announcer.AnnounceAsync([_bot, _third with { Status = BotStatus.Waiting }, _other]);
        await AssertNextAsync(commands, """bots ["Minutes"]""");
    }

    private static async Task AssertNextAsync(ChannelMessageQueue commands, string command)
    {
        using var deadline = new CancellationTokenSource(Timeout);
        Assert.Equal(command, (string?)(await commands.ReadAsync(deadline.Token)).Message);
    }
}
