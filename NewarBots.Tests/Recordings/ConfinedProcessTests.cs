using System.Globalization;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

/// <summary>Programs that a hostile file has taken over. Only a manager that is root can change their user.</summary>
public sealed class ConfinedProcessTests
{
    private static readonly ProcessLimits Limits = new(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), FileBytes: 0);

    private readonly ConfinedProcess _processes = new(TimeProvider.System);

    public ConfinedProcessTests() => Assert.SkipUnless(ContainerUser.IsRoot, "Needs root.");

    [Fact]
    public async Task A_process_that_left_its_group_ends_with_the_program_and_does_not_delay_it()
    {
        var mark = $"8{Random.Shared.Next(100_000, 999_999)}".ToString(CultureInfo.InvariantCulture);

        // It holds the output open.
        var (end, output) = await RunAsync($"setsid sleep {mark} & setsid sleep {mark} & echo started");

        Assert.Equal((0, "started\n"), (end.ExitCode, output));
        Assert.Equal("", (await Cli.Wrap("pgrep").WithArguments(["-f", $"^sleep {mark}"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync()).StandardOutput);
    }

    [Fact]
    public async Task Each_run_has_a_user_of_its_own()
    {
        using var taken = ProcessUser.Take();
        var users = (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RunAsync("id -u; id -g; sleep 0.5")))).Select(run => run.Output).ToList();

        Assert.Equal(3, users.Distinct().Count());
        Assert.DoesNotContain($"{taken.User.Uid}\n{taken.User.Gid}\n", users);
        Assert.DoesNotContain(users, user => user.StartsWith("0\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_sees_neither_the_environment_nor_the_files_of_a_recorder_or_of_another_run()
    {
        using var recorder = System.Diagnostics.Process.Start("setpriv", ["--reuid=70001", "--regid=70001", "--clear-groups", "sleep", "600"]);
        try
        {
            await Eventually.TrueAsync(() => File.ReadAllText($"/proc/{recorder.Id}/cmdline").StartsWith("sleep", StringComparison.Ordinal));

            var (_, output) = await RunAsync($"cat /proc/{recorder.Id}/environ >/dev/null || echo closed; ls /proc/{recorder.Id}/root || echo closed; kill {recorder.Id} || echo alive");

            Assert.Equal("closed\nclosed\nalive\n", output);
            Assert.False(recorder.HasExited);
        }
        finally
        {
            recorder.Kill();
        }
    }

    [Fact]
    public async Task The_number_of_processes_is_limited()
    {
        var most = 256 + 16 * Environment.ProcessorCount;

        var (end, output) = await RunAsync($"i=0; while [ $i -lt {most + 100} ]; do sleep 600 & i=$((i+1)); done; echo all");

        Assert.NotEqual(0, end.ExitCode);
        Assert.DoesNotContain("all", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_run_leaves_no_pipe_open()
    {
        using var client = new CancellationTokenSource();
        var errors = "";
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _processes.RunAsync(
            new(["sh", "-c", "readlink /proc/$$/fd/2; echo error >&2; sleep 600"], Limits)
            {
                Output = async (stream, cancellation) =>
                {
                    using var reader = new StreamReader(stream);
                    errors = await reader.ReadLineAsync(cancellation);
                    await client.CancelAsync();
                    await reader.ReadToEndAsync(cancellation);
                },
            },
            client.Token));

        Assert.StartsWith("pipe:", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(errors, new DirectoryInfo("/proc/self/fd").EnumerateFiles().Select(file => file.LinkTarget));
    }

    [Fact]
    public void The_hard_limits_of_the_manager_limit_its_programs()
    {
        var own = ProcessLimits.Read(
        [
            "Limit                     Soft Limit           Hard Limit           Units     ",
            "Max cpu time              unlimited            unlimited            seconds   ",
            "Max file size             unlimited            unlimited            bytes     ",
            "Max data size             unlimited            unlimited            bytes     ",
            "Max open files            1024                 128                  files     ",
            "Max address space         unlimited            1073741824           bytes     ",
        ]);

        var within = Limits.Within(own);

        Assert.Equal((1024L * 1024 * 1024, 128, Limits.Memory, Limits.Cpu), (within.AddressSpace, within.OpenFiles, within.Memory, within.Cpu));
    }

    private async Task<(ProcessEnd End, string Output)> RunAsync(string script)
    {
        var output = "";
        var end = await _processes.RunAsync(
            new(["sh", "-c", script], Limits)
            {
                Output = async (stream, cancellation) =>
                {
                    using var reader = new StreamReader(stream);
                    output = await reader.ReadToEndAsync(cancellation);
                },
            },
            TestContext.Current.CancellationToken);
        return (end, output);
    }
}
