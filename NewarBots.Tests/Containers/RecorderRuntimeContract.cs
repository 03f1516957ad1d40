using System.Text;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers;

/// <summary>The behavior that every <see cref="IRecorderRuntime"/> has in common.</summary>
public abstract class RecorderRuntimeContract
{
    internal abstract IRecorderRuntime Containers { get; }

    /// <summary>A bot whose recorder runs the script.</summary>
    internal abstract RecorderContainerSpec Bot(string script);

    [Fact]
    public async Task A_recorder_runs_until_it_is_stopped_and_then_has_an_exit_code()
    {
        var bot = Bot("exec sleep 60");
        var id = bot.Id;
        Assert.Null(await Containers.FindAsync(id, CancellationToken.None));

        await Containers.LaunchAsync(bot, CancellationToken.None);

        Assert.Equal(
            new RecorderContainer(id, bot.UserId, RecorderContainerState.Running),
            await Containers.FindAsync(id, CancellationToken.None));
        Assert.Contains(await Containers.ListAsync(CancellationToken.None), container => container.Id == id);

        await Containers.StopAsync(id, TimeSpan.FromSeconds(5), CancellationToken.None);

        var exit = await ExitOfAsync(id);
        Assert.Equal(143, exit.ExitCode);
        Assert.False(exit.OutOfMemory);
        Assert.InRange(TimeProvider.System.GetUtcNow() - exit.FinishedAt, TimeSpan.FromSeconds(-5), TimeSpan.FromMinutes(1));

        await Containers.RemoveAsync(id, CancellationToken.None);
        Assert.Null(await Containers.FindAsync(id, CancellationToken.None));
    }

    [Fact]
    public async Task A_followed_log_delivers_output_at_once_and_ends_with_the_container()
    {
        var bot = Bot("echo first; exec sleep 60");
        var id = bot.Id;
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
    public async Task A_recorder_that_has_exited_is_not_started_again()
    {
        var bot = Bot("echo once");
        await Containers.LaunchAsync(bot, CancellationToken.None);
        await ExitOfAsync(bot.Id);

        await Containers.LaunchAsync(bot, CancellationToken.None);

        Assert.Equal("once\n", await LogOfAsync(bot.Id));
    }

    [Fact]
    public async Task The_log_has_the_output_of_both_streams()
    {
        var bot = Bot("echo 'out ä'; sleep 0.3; echo err >&2");
        await Containers.LaunchAsync(bot, CancellationToken.None);
        await ExitOfAsync(bot.Id);

        Assert.Equal("out ä\nerr\n", await LogOfAsync(bot.Id));
    }

    [Fact]
    public async Task Operations_on_a_missing_container_do_nothing()
    {
        var missing = SessionId.New(TimeProvider.System);

        await Containers.StopAsync(missing, TimeSpan.FromSeconds(1), CancellationToken.None);
        await Containers.RemoveAsync(missing, CancellationToken.None);

        Assert.Empty(await LogOfAsync(missing));
    }

    [Fact]
    public async Task Exits_are_reported_from_the_moment_of_the_call()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var exits = Containers.WatchExitsAsync(deadline.Token);
        var early = Bot("exit 3");
        await Containers.LaunchAsync(early, CancellationToken.None);
        await ExitOfAsync(early.Id);
        var late = Bot("exit 4");
        var waiting = new HashSet<SessionId> { early.Id, late.Id };

        await foreach (var id in exits)
        {
            if (id == early.Id && waiting.Contains(id))
                await Containers.LaunchAsync(late, CancellationToken.None);
            waiting.Remove(id);
            if (waiting.Count == 0)
                break;
        }

        Assert.Empty(waiting);
    }

    [Fact]
    public async Task A_bot_that_is_launched_many_times_at_once_has_one_container()
    {
        var bot = Bot("exec sleep 60");

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Containers.LaunchAsync(bot, CancellationToken.None)));

        Assert.Single(await Containers.ListAsync(CancellationToken.None), container => container.Id == bot.Id);
        await Containers.RemoveAsync(bot.Id, CancellationToken.None);
    }

    [Fact]
    public async Task Only_a_running_container_has_a_resource_usage()
    {
        var bot = Bot("exec sleep 60");
        Assert.Null(await Containers.MeasureAsync(bot.Id, CancellationToken.None));

        await Containers.LaunchAsync(bot, CancellationToken.None);
        Assert.True((await Containers.MeasureAsync(bot.Id, CancellationToken.None))!.MemoryBytes > 0);

        await Containers.RemoveAsync(bot.Id, CancellationToken.None);
        Assert.Null(await Containers.MeasureAsync(bot.Id, CancellationToken.None));
    }

    private Task<RecorderExit> ExitOfAsync(SessionId id) => Eventually.NotNullAsync(
        async () => (await Containers.FindAsync(id, CancellationToken.None))?.Exit, TimeSpan.FromSeconds(30));

    private async Task<string> LogOfAsync(SessionId id)
    {
        using var log = new MemoryStream();
        await Containers.CopyLogAsync(id, log, CancellationToken.None);
        return Encoding.UTF8.GetString(log.ToArray());
    }
}

public sealed class InMemoryContainersTests(InMemoryRecorders recorders) : RecorderRuntimeContract, IClassFixture<InMemoryRecorders>
{
    internal override IRecorderRuntime Containers => recorders.Containers;

    internal override RecorderContainerSpec Bot(string script) => recorders.Bot(script);
}
