using NewarBots.Contract;

namespace NewarBots.Recorder.Leaving;

/// <summary>
/// Ends the process when its time is up, from a dedicated thread that no hung task and no starved thread pool can block. Flushed audio
/// is on disk, so nothing is lost.
/// </summary>
internal sealed class Watchdog(TimeProvider time, Action end)
{
    /// <summary>How long a recorder that hangs may exceed its maximum duration.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LogTimeout = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private Thread? _thread;
    private long _armedAt;
    private TimeSpan _after;

    /// <summary>Sets or replaces the time at which the process ends.</summary>
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
        // The reader of the log may hang as well, which blocks the write.
        var log = new Thread(() => Console.Error.WriteLine("The recorder did not exit in time: the watchdog ends the process.")) { IsBackground = true };
        log.Start();
        log.Join(LogTimeout);
        Environment.Exit((int)RecorderExitCode.Watchdog);
    }

    private TimeSpan Left => _after - time.GetElapsedTime(_armedAt);

    private void Watch()
    {
        // Monitor.Wait accepts at most 24 days.
        var maxWait = TimeSpan.FromDays(1);
        lock (_gate)
        {
            while (Left is { } left && left > TimeSpan.Zero)
                Monitor.Wait(_gate, left < maxWait ? left : maxWait);
        }

        end();
    }
}
