using System.Diagnostics;
using NewarBots.Contract;
using NewarBots.Recorder.Leaving;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Leaving;

public sealed class WatchdogTests
{
    [Fact]
    public async Task Ends_the_process_in_time_even_if_every_pool_thread_hangs()
    {
        using var hang = new ManualResetEventSlim();
        using var ended = new ManualResetEventSlim();
        var hanging = Enumerable.Range(0, Environment.ProcessorCount * 2).Select(_ => Task.Run(hang.Wait, CancellationToken.None)).ToList();

        new Watchdog(TimeProvider.System, ended.Set).Arm(TimeSpan.FromMilliseconds(50));

        var hasEnded = ended.Wait(TimeSpan.FromSeconds(30));
        hang.Set();
        await Task.WhenAll(hanging);
        Assert.True(hasEnded);
    }

    [Fact]
    public void Can_be_rearmed_with_another_time()
    {
        using var ended = new ManualResetEventSlim();
        var watchdog = new Watchdog(TimeProvider.System, ended.Set);

        watchdog.Arm(TimeSpan.FromHours(4));
        watchdog.Arm(TimeSpan.FromMilliseconds(50));

        Assert.True(ended.Wait(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_recorder_that_hangs_at_startup_is_ended_even_if_nobody_reads_its_log()
    {
        var folder = Directory.CreateTempSubdirectory("newarbots-watchdog-");
        var pipe = Path.Combine(folder.FullName, SessionInput.SelectorPack);
        var log = Path.Combine(folder.FullName, "never-read");
        await Process.Start("mkfifo", [pipe, log]).WaitForExitAsync(TestContext.Current.CancellationToken);
        var assignment = TestManager.Assignment(SessionId.New(TimeProvider.System), "Notes") with
        {
            HasSelectorPack = true,
            Leave = new() { MaxDuration = TimeSpan.FromSeconds(1) },
        };
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, SessionInput.Assignment), assignment.ToJson(), TestContext.Current.CancellationToken);
        // The log is a pipe that is already full.
        var start = new ProcessStartInfo(
            "sh",
            ["-c", "exec 3<>\"$0\"; head -c 65536 /dev/zero >&3; exec dotnet \"$1\" >&3 2>&3", log, typeof(Watchdog).Assembly.Location])
        {
            UseShellExecute = false,
        };
        start.Environment[RecorderEnvironment.Names.SessionFolder] = folder.FullName;

        using var recorder = Process.Start(start)!;
        await recorder.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(2 * Watchdog.Grace, TimeProvider.System);

        Assert.Equal((int)RecorderExitCode.Watchdog, recorder.ExitCode);
        folder.Delete(recursive: true);
    }
}
