using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Docker;

public sealed class DockerRecorderContainersTests(ScriptedRecorders recorders) : IClassFixture<ScriptedRecorders>
{
    private IRecorderContainers Containers => recorders.Containers;

    [Fact]
    public async Task A_recorder_runs_until_it_ends_and_then_tells_how()
    {
        var bot = recorders.Bot("exec sleep 60");
        var id = bot.Environment.SessionId;
        Assert.Null(await Containers.FindAsync(id, CancellationToken.None));

        await Containers.LaunchAsync(bot, CancellationToken.None);

        Assert.Equal(
            new RecorderContainer(id, bot.Environment.UserId, RecorderContainerState.Running),
            await Containers.FindAsync(id, CancellationToken.None));
        Assert.Contains(await Containers.ListAsync(CancellationToken.None), container => container.Id == id);

        await Containers.StopAsync(id, TimeSpan.FromSeconds(5), CancellationToken.None);

        var exit = await recorders.ExitOf(id);
        Assert.Equal(143, exit.ExitCode);
        Assert.False(exit.OutOfMemory);
        Assert.InRange(TimeProvider.System.GetUtcNow() - exit.FinishedAt, TimeSpan.FromSeconds(-5), TimeSpan.FromMinutes(1));

        await Containers.RemoveAsync(id, CancellationToken.None);
        Assert.Null(await Containers.FindAsync(id, CancellationToken.None));
    }

    [Fact]
    public async Task A_log_is_followed_while_it_is_printed_and_ends_with_the_container()
    {
        var bot = recorders.Bot("echo first; exec sleep 60");
        var id = bot.Environment.SessionId;
        await Containers.LaunchAsync(bot, CancellationToken.None);
        var log = new System.IO.Pipelines.Pipe();

        var following = Containers.FollowLogAsync(id, log.Writer.AsStream(), CancellationToken.None);
        using var reader = new StreamReader(log.Reader.AsStream());
        Assert.Equal("first", await reader.ReadLineAsync());
        Assert.False(following.IsCompleted);
        await Containers.StopAsync(id, TimeSpan.FromSeconds(5), CancellationToken.None);

        await following.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        await Containers.RemoveAsync(id, CancellationToken.None);
    }

    [Fact]
    public async Task A_bot_launched_many_times_at_once_has_one_container()
    {
        var bot = recorders.Bot("exec sleep 60");
        var other = recorders.Manager();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i =>
            (i % 2 is 0 ? Containers : other).LaunchAsync(bot, CancellationToken.None)));

        Assert.Single(await Containers.ListAsync(CancellationToken.None), container => container.Id == bot.Environment.SessionId);
        await Containers.RemoveAsync(bot.Environment.SessionId, CancellationToken.None);
    }

    [Fact]
    public async Task A_container_that_was_made_and_never_started_is_started_by_the_next_launch()
    {
        var bot = recorders.Bot("echo started");
        await ScriptedRecorders.Docker(
            "create", "--network", "none", "--name", bot.Name,
            "--label", $"newarbots.session={bot.Environment.SessionId}",
            "--label", $"newarbots.user={bot.Environment.UserId}",
            "--label", $"newarbots.stack={recorders.Stack}",
            "debian:bookworm-slim", "true");
        Assert.Equal(
            RecorderContainerState.Created,
            (await Containers.FindAsync(bot.Environment.SessionId, CancellationToken.None))?.State);

        await Containers.LaunchAsync(bot, CancellationToken.None);

        Assert.Equal(0, (await recorders.ExitOf(bot.Environment.SessionId)).ExitCode);
    }

    [Fact]
    public async Task A_recorder_that_has_ended_is_not_started_again()
    {
        var bot = recorders.Bot("echo once");
        await Containers.LaunchAsync(bot, CancellationToken.None);
        await recorders.ExitOf(bot.Environment.SessionId);

        await Containers.LaunchAsync(bot, CancellationToken.None);

        Assert.Equal("once\n", await recorders.LogOf(bot.Environment.SessionId));
    }

    [Fact]
    public async Task What_it_printed_on_both_streams_can_be_read_while_it_lives_and_afterwards()
    {
        Assert.Equal("out ä\nerr\n", await recorders.Run("echo 'out ä'; sleep 0.3; echo err >&2"));
    }

    [Fact]
    public async Task Nothing_happens_to_a_container_that_is_not_there()
    {
        var nobody = SessionId.New(TimeProvider.System);

        await Containers.StopAsync(nobody, TimeSpan.FromSeconds(1), CancellationToken.None);
        await Containers.RemoveAsync(nobody, CancellationToken.None);

        Assert.Empty(await recorders.LogOf(nobody));
    }

    [Fact]
    public async Task A_recorder_that_takes_too_much_memory_is_killed_and_the_engine_says_why()
    {
        var bot = recorders.Bot("tail /dev/zero");

        await recorders.Manager(("Launching:MemoryMb", "256")).LaunchAsync(bot, CancellationToken.None);

        var exit = await recorders.ExitOf(bot.Environment.SessionId);
        Assert.True(exit.OutOfMemory);
        Assert.NotEqual(0, exit.ExitCode);
    }

    [Fact]
    public async Task Exits_are_told_from_the_moment_of_the_call()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var exits = Containers.WatchExitsAsync(deadline.Token);
        var early = recorders.Bot("exit 3");
        await Containers.LaunchAsync(early, CancellationToken.None);
        await recorders.ExitOf(early.Environment.SessionId);
        var late = recorders.Bot("exit 4");
        var waiting = new HashSet<SessionId> { early.Environment.SessionId, late.Environment.SessionId };

        await foreach (var id in exits)
        {
            if (id == early.Environment.SessionId && waiting.Contains(id))
                await Containers.LaunchAsync(late, CancellationToken.None);
            waiting.Remove(id);
            if (waiting.Count == 0)
                break;
        }

        Assert.Empty(waiting);
    }

    [Fact]
    public async Task Another_stack_on_the_same_engine_is_never_touched()
    {
        var bot = recorders.Bot("exec sleep 60");
        var id = bot.Environment.SessionId;
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
    public async Task A_container_of_this_stack_whose_labels_name_no_bot_is_left_alone()
    {
        var name = $"stranger-{recorders.Stack}";
        await ScriptedRecorders.Docker(
            "create", "--name", name, "--label", $"newarbots.stack={recorders.Stack}", "--label", "newarbots.session=../etc",
            "debian:bookworm-slim", "true");

        await Containers.ListAsync(CancellationToken.None);

        Assert.Equal(0, (await ScriptedRecorders.Docker("rm", name)).ExitCode);
    }

    [Fact]
    public async Task A_missing_image_is_answered_with_the_command_that_builds_it()
    {
        var services = recorders.Services(("Launching:Image", "newarbots-tests/never-built:1"));

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() =>
            services.GetRequiredService<IRecorderContainers>().LaunchAsync(recorders.Bot("true"), CancellationToken.None));

        Assert.Equal(ContainerEngineFailure.ImageMissing, failure.Failure);
        Assert.Contains("dotnet build NewarBots.Recorder -t:RecorderImage", failure.Message, StringComparison.Ordinal);
        var health = await Health(services);
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Equal(failure.Message, health.Description);
    }

    [Fact]
    public async Task An_engine_that_is_not_there_is_named_by_its_address()
    {
        var services = recorders.Services(("DOCKER_HOST", "unix:///nowhere/docker.sock"));

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() =>
            services.GetRequiredService<IRecorderContainers>().ListAsync(CancellationToken.None));

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.Contains("unix:///nowhere/docker.sock", failure.Message, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Degraded, (await Health(services)).Status);
    }

    [Fact]
    public async Task An_engine_that_answers_is_healthy()
    {
        Assert.Equal(HealthStatus.Healthy, (await Health(recorders.Services())).Status);
    }

    [Fact]
    public async Task A_network_that_many_managers_make_at_once_is_made_once()
    {
        var name = $"{recorders.Stack}-raced";
        var managers = Enumerable.Range(0, 4).Select(_ => recorders.Manager(("Launching:Network", name))).ToList();

        var bots = managers.Select(_ => recorders.Bot("true")).ToList();

        await Task.WhenAll(managers.Zip(bots, (manager, bot) => manager.LaunchAsync(bot, CancellationToken.None)));

        var networks = await ScriptedRecorders.Docker("network", "ls", "--quiet", "--filter", $"name=^{name}$");
        Assert.Single(networks.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        foreach (var bot in bots)
        {
            await recorders.ExitOf(bot.Environment.SessionId);
            await Containers.RemoveAsync(bot.Environment.SessionId, CancellationToken.None);
        }
        Assert.Equal(0, (await ScriptedRecorders.Docker("network", "rm", name)).ExitCode);
    }

    private static async Task<HealthReportEntry> Health(IServiceProvider services) =>
        (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["docker"];
}
