using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Manager.Containers;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Docker;

public sealed class DockerRuntimeTests(ScriptedRecorders recorders) : RecorderRuntimeContract, IClassFixture<ScriptedRecorders>
{
    internal override IRecorderRuntime Containers => recorders.Containers;

    internal override RecorderContainerSpec Bot(string script) => recorders.Bot(script);

    [Fact]
    public async Task A_bot_that_several_managers_launch_at_once_has_one_container()
    {
        var bot = recorders.Bot("exec sleep 60");
        var other = recorders.Manager();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i =>
            (i % 2 is 0 ? Containers : other).LaunchAsync(bot, CancellationToken.None)));

        Assert.Single(await Containers.ListAsync(CancellationToken.None), container => container.Id == bot.Id);
        await Containers.RemoveAsync(bot.Id, CancellationToken.None);
    }

    [Fact]
    public async Task A_container_that_was_never_started_is_started_by_the_next_launch()
    {
        var bot = recorders.Bot("echo started");
        await ScriptedRecorders.Docker(
            "create", "--network", "none", "--name", bot.Name,
            "--label", $"newarbots.session={bot.Id}",
            "--label", $"newarbots.user={bot.UserId}",
            "--label", $"newarbots.stack={recorders.Stack}",
            "debian:bookworm-slim", "true");
        Assert.Equal(
            RecorderContainerState.Created,
            (await Containers.FindAsync(bot.Id, CancellationToken.None))?.State);

        await Containers.LaunchAsync(bot, CancellationToken.None);

        Assert.Equal(0, (await recorders.ExitOf(bot.Id)).ExitCode);
    }

    [Fact]
    public async Task A_container_that_cannot_be_inspected_is_found_listed_and_removed_and_hides_no_other()
    {
        await using var proxy = new EngineProxy();
        var containers = recorders.Manager(("Launching:DockerHost", proxy.Address));
        var (lost, other) = (recorders.Bot("exit 3"), recorders.Bot("exit 4"));
        foreach (var bot in new[] { lost, other })
        {
            await containers.LaunchAsync(bot, CancellationToken.None);
            await recorders.ExitOf(bot.Id);
        }

        proxy.Fails = $"{lost.Name}/json";
        var listed = (await containers.ListAsync(CancellationToken.None)).ToDictionary(container => container.Id, container => container.State);
        var found = await containers.FindAsync(lost.Id, CancellationToken.None);
        await containers.RemoveAsync(lost.Id, CancellationToken.None);

        Assert.Equal((RecorderContainerState.Exited, RecorderContainerState.Exited), (listed[lost.Id], listed[other.Id]));
        Assert.Equal((RecorderContainerState.Exited, null), (found?.State, found?.Exit));
        Assert.Equal(4, (await containers.FindAsync(other.Id, CancellationToken.None))?.Exit?.ExitCode);
        Assert.Null(await Containers.FindAsync(lost.Id, CancellationToken.None));
        await containers.RemoveAsync(other.Id, CancellationToken.None);
    }

    [Fact]
    public async Task A_paused_recorder_can_be_stopped()
    {
        var bot = recorders.Bot("trap 'exit 0' TERM; while :; do sleep 0.1; done");
        await Containers.LaunchAsync(bot, CancellationToken.None);
        await ScriptedRecorders.Docker("pause", bot.Name);

        await Containers.StopAsync(bot.Id, TimeSpan.FromSeconds(20), CancellationToken.None);

        Assert.Equal(0, (await recorders.ExitOf(bot.Id)).ExitCode);
    }

    [Fact]
    public async Task A_recorder_that_exceeds_its_memory_limit_is_killed_with_the_reason()
    {
        var bot = recorders.Bot("tail /dev/zero");

        await recorders.Manager(("Launching:MemoryMb", "256")).LaunchAsync(bot, CancellationToken.None);

        var exit = await recorders.ExitOf(bot.Id);
        Assert.True(exit.OutOfMemory);
        Assert.NotEqual(0, exit.ExitCode);
    }

    [Fact]
    public async Task Containers_of_another_stack_are_never_touched()
    {
        var bot = recorders.Bot("exec sleep 60");
        var id = bot.Id;
        await Containers.LaunchAsync(bot, CancellationToken.None);
        var other = recorders.Manager(("Launching:Stack", "another"));

        Assert.Empty(await other.ListAsync(CancellationToken.None));
        Assert.Null(await other.FindAsync(id, CancellationToken.None));
        await other.StopAsync(id, TimeSpan.Zero, CancellationToken.None);
        await other.RemoveAsync(id, CancellationToken.None);
        await Assert.ThrowsAsync<ContainerEngineException>(() => other.LaunchAsync(bot, CancellationToken.None));

        Assert.Equal(RecorderContainerState.Running, (await Containers.FindAsync(id, CancellationToken.None))?.State);
        await Containers.RemoveAsync(id, CancellationToken.None);
    }

    [Fact]
    public async Task A_container_of_this_stack_without_a_bots_labels_is_left_alone()
    {
        var name = $"stranger-{recorders.Stack}";
        await ScriptedRecorders.Docker(
            "create", "--name", name, "--label", $"newarbots.stack={recorders.Stack}", "--label", "newarbots.session=../etc",
            "debian:bookworm-slim", "true");

        await Containers.ListAsync(CancellationToken.None);

        Assert.Equal(0, (await ScriptedRecorders.Docker("rm", name)).ExitCode);
    }

    [Fact]
    public async Task A_missing_image_is_reported_with_the_command_that_builds_it()
    {
        var services = recorders.Services(("Launching:Image", "newarbots-tests/never-built:1"));

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() =>
            services.GetRequiredService<IRecorderRuntime>().LaunchAsync(recorders.Bot("true"), CancellationToken.None));

        Assert.Equal(ContainerEngineFailure.ImageMissing, failure.Failure);
        Assert.Contains("eng/image recorder", failure.Message, StringComparison.Ordinal);
        var health = await Health(services);
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Equal(failure.Message, health.Description);
    }

    [Fact]
    public async Task An_unreachable_engine_is_reported_with_its_address()
    {
        var services = recorders.Services(("DOCKER_HOST", "unix:///nowhere/docker.sock"));

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() =>
            services.GetRequiredService<IRecorderRuntime>().ListAsync(CancellationToken.None));

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.Contains("unix:///nowhere/docker.sock", failure.Message, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Degraded, (await Health(services)).Status);
    }

    [Fact]
    public async Task A_reachable_engine_is_healthy()
    {
        Assert.Equal(HealthStatus.Healthy, (await Health(recorders.Services())).Status);
    }

    [Fact]
    public async Task A_network_that_several_managers_create_at_once_exists_once()
    {
        var name = $"{recorders.Stack}-raced";
        var managers = Enumerable.Range(0, 4).Select(_ => recorders.Manager(("Launching:Network", name))).ToList();

        var bots = managers.Select(_ => recorders.Bot("true")).ToList();

        await Task.WhenAll(managers.Zip(bots, (manager, bot) => manager.LaunchAsync(bot, CancellationToken.None)));

        var networks = await ScriptedRecorders.Docker("network", "ls", "--quiet", "--filter", $"name=^{name}$");
        Assert.Single(networks.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        foreach (var bot in bots)
        {
            await recorders.ExitOf(bot.Id);
            await Containers.RemoveAsync(bot.Id, CancellationToken.None);
        }
        Assert.Equal(0, (await ScriptedRecorders.Docker("network", "rm", name)).ExitCode);
    }

    private static async Task<HealthReportEntry> Health(IServiceProvider services) =>
        (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["docker"];
}
