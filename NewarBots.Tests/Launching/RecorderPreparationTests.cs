using Microsoft.Extensions.DependencyInjection;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Launching;

public sealed class RecorderPreparationTests(ScriptedRecorders recorders, RedisServer redis)
    : IClassFixture<ScriptedRecorders>, IClassFixture<RedisServer>, IAsyncLifetime
{
    private ConnectionMultiplexer _manager = null!;

    private RecorderPreparation Preparation => recorders.Services(_manager, ("ConnectionStrings:redis", redis.Configuration))
        .GetRequiredService<RecorderPreparation>();

    public async ValueTask InitializeAsync() => _manager = await redis.ConnectAsync();

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Fact]
    public async Task A_second_preparation_gives_the_same_result()
    {
        var bot = SampleBots.Launchable("http://localhost:8082/rehearsal/one");

        var first = await Preparation.PrepareAsync(bot, traceParent: null, CancellationToken.None);
        var second = await Preparation.PrepareAsync(bot, traceParent: null, CancellationToken.None);

        Assert.Equivalent(first, second);
        Assert.True(Directory.Exists(first.SessionFolder));
    }

    [Fact]
    public async Task The_Redis_user_is_the_same_after_a_restart_of_Redis()
    {
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij");
        var access = recorders.Services(_manager, ("ConnectionStrings:redis", redis.Configuration)).GetRequiredService<RecorderAccess>();
        await Preparation.PrepareAsync(bot, traceParent: null, CancellationToken.None);
        var before = await access.EnsureAsync(bot.Id);
        await _manager.GetDatabase().ExecuteAsync("ACL", "DELUSER", before.User);

        Assert.Equal(before, await access.EnsureAsync(bot.Id));

        await using var asBot = await redis.ConnectAsync($"user={before.User},password={before.Password}");
        Assert.True(asBot.IsConnected);
    }

    [Fact]
    public async Task A_bot_connects_to_Redis_with_its_own_user()
    {
        var services = recorders.Services(_manager, ("ConnectionStrings:redis", redis.Configuration));
        var (gateway, _) = await services.GetRequiredService<IBotNetwork>().FindAsync(CancellationToken.None);
        Assert.SkipWhen(gateway is null, "The engine's default bridge is not on this machine.");
        var bot = SampleBots.Launchable("https://meet.google.com/abc-defg-hij") with
        {
            BotName = """
                value() { sed 's/.*"'$1'":"\([^"]*\)".*/\1/' /app/storage/session/assignment.json; }
                redis=$(value redisUrl)
                IFS=,= read -r endpoint rest <<< "$redis"
                user=$(grep -o 'user=[^,]*' <<< "$redis") password=$(grep -o 'password=[^,]*' <<< "$redis")
                exec 3<>/dev/tcp/${endpoint%:*}/${endpoint#*:}
                send() { printf '*%d\r\n' $# >&3; for part; do printf '$%d\r\n%s\r\n' ${#part} "$part" >&3; done; }
                send AUTH "${user#*=}" "${password#*=}"
                send PUBLISH bot:status:$(value sessionId) joining
                send GET secret
                send QUIT
                cut -c -7 <&3 | tr -d '\r'
                """,
        };
        var spec = await services.GetRequiredService<RecorderPreparation>().PrepareAsync(bot, traceParent: null, CancellationToken.None);

        await recorders.Containers.LaunchAsync(spec, CancellationToken.None);

        await recorders.ExitOf(bot.Id);
        Assert.Equal("+OK\n:0\n-NOPERM\n+OK\n", await recorders.LogOf(bot.Id));
        await services.GetRequiredService<LoopbackRelay>().DisposeAsync();
    }
}
