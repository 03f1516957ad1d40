using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Ending;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Ending;

public sealed class BotLogTests(ScriptedRecorders recorders, RedisServer redis) : IClassFixture<ScriptedRecorders>, IClassFixture<RedisServer>
{
    [Fact]
    public async Task A_log_that_the_engine_refuses_to_return_says_so_and_does_not_delay_the_end()
    {
        var bot = SampleBots.In(BotStatus.Finalizing);
        await DockerCli.RunAsync(
            "run", "--name", RecorderContainerName.Of(bot.Id), "--log-driver", "none", "--label", $"newarbots.stack={recorders.Stack}",
            "--label", $"newarbots.session={bot.Id}", "--label", $"newarbots.user={bot.UserId}", "debian:bookworm-slim", "echo", "unheard");
        await using var connection = await redis.ConnectAsync();
        var log = recorders.WholeManager(connection, TimeProvider.System).GetRequiredService<BotLog>();

        await log.KeepAsync(bot, CancellationToken.None);

        await using var kept = await log.OpenAsync(bot, CancellationToken.None);
        using var reader = new StreamReader(kept);
        Assert.Contains("The log ends here. The container engine refused the request", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
