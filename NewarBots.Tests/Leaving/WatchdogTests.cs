using NewarBots.Recorder.Leaving;

namespace NewarBots.Tests.Leaving;

public sealed class WatchdogTests
{
    [Fact]
    public async Task It_ends_the_process_when_its_time_is_up_although_every_thread_of_the_pool_hangs()
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
    public void Its_time_can_be_moved()
    {
        using var ended = new ManualResetEventSlim();
        var watchdog = new Watchdog(TimeProvider.System, ended.Set);

        watchdog.Arm(TimeSpan.FromHours(4));
        watchdog.Arm(TimeSpan.FromMilliseconds(50));

        Assert.True(ended.Wait(TimeSpan.FromSeconds(30)));
    }
}
