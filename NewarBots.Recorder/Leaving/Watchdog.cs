using NewarBots.Contract;

namespace NewarBots.Recorder.Leaving;

/// <summary>
/// The last way out: a thread of its own, so that no hung task and no starved pool can hold it up, that ends the process when its
/// time is up. What was flushed is on the disk, so nothing is lost by it.
/// </summary>
internal sealed class Watchdog(TimeProvider time, Action end)
{
    /// <summary>A recorder outlives its maximum length by no more than this, whatever hangs.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LastWordPatience = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private Thread? _thread;
    private long _armedAt;
    private TimeSpan _after;

    /// <summary>Sets or moves the time at which the process ends.</summary>
    public void Arm(TimeSpan after)
    {
        lock (_gate)
        {
            (_armedAt, _after) = (time.GetTimestamp(), after);
            if (_thread is null)
            {
                _thread = new(Watch) { IsBackground = true, Name = "watchdog" };
                _thread.Start();
            }
            Monitor.Pulse(_gate);
        }
    }

    public static void EndProcess()
    {
        // Whoever reads the log may hang as well.
        var lastWord = new Thread(() => Console.Error.WriteLine("The recorder outlived its time and is ended by its watchdog.")) { IsBackground = true };
        lastWord.Start();
        lastWord.Join(LastWordPatience);
        Environment.Exit((int)RecorderExitCode.Watchdog);
    }

    private TimeSpan Left => _after - time.GetElapsedTime(_armedAt);

    private void Watch()
    {
        // A wait takes 24 days at most.
        var longest = TimeSpan.FromDays(1);
        lock (_gate)
        {
            while (Left is { } left && left > TimeSpan.Zero)
                Monitor.Wait(_gate, left < longest ? left : longest);
        }

        end();
    }
}
