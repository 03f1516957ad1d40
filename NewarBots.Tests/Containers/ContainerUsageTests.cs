using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers;

public sealed class ContainerUsageTests(ScriptedRecorders recorders) : IClassFixture<ScriptedRecorders>
{
    [Fact]
    public async Task CPU_and_memory_of_a_container_are_read_from_the_Docker_engine()
    {
        using var probe = new MetricsProbe();
        using var usage = new ContainerUsage(
            recorders.Containers, probe.Bots, new BackgroundLoops(TimeProvider.System, NullLogger<BackgroundLoops>.Instance), TimeProvider.System);
        var busy = recorders.Bot("while true; do :; done");
        await recorders.Containers.LaunchAsync(busy, CancellationToken.None);

        await usage.MeasureAsync(CancellationToken.None);
        Assert.Empty(probe.Of("newarbots.bot.cpu.usage"));
        await Eventually.TrueAsync(async () =>
        {
            await usage.MeasureAsync(CancellationToken.None);
            return probe.Of("newarbots.bot.cpu.usage").Any(one => one.Value > 0.05);
        });

        Assert.All(probe.Of("newarbots.bot.memory.usage"), one => Assert.InRange(one.Value, 100_000, 100_000_000));
        // A bot is limited to one CPU, but the kernel may account for usage late.
        Assert.All(probe.Of("newarbots.bot.cpu.usage"), one => Assert.InRange(one.Value, 0, 2));

        await recorders.Containers.RemoveAsync(busy.Id, CancellationToken.None);
        Assert.Null(await recorders.Containers.MeasureAsync(busy.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_container_that_cannot_be_measured_does_not_hide_the_others()
    {
        using var memory = new InMemoryRecorders();
        using var probe = new MetricsProbe();
        using var usage = new ContainerUsage(
            memory.Containers, probe.Bots, new BackgroundLoops(TimeProvider.System, NullLogger<BackgroundLoops>.Instance), TimeProvider.System);
        foreach (var number in Enumerable.Range(0, 3))
        {
            var bot = memory.Bot("sleep 60");
            await memory.Containers.LaunchAsync(bot, CancellationToken.None);
            if (number == 1)
                memory.Containers.Unmeasurable = bot.Id;
        }

        await usage.MeasureAsync(CancellationToken.None);
        await usage.MeasureAsync(CancellationToken.None);

        Assert.Equal(4, probe.Of("newarbots.bot.memory.usage").Count);
        Assert.Equal(2, probe.Of("newarbots.bot.cpu.usage").Count);
    }
}
