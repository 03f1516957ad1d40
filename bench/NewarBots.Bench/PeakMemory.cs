using System.Globalization;

namespace NewarBots.Bench;

/// <summary>
/// Peak resident memory of this process and of each child process until disposed, from the Linux kernel's high-water marks. A child that ends
/// within a few milliseconds may be missed.
/// </summary>
internal sealed class PeakMemory : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _end = new();
    private readonly Task _watch;

    public PeakMemory()
    {
        GC.Collect();
        // Resets this process's high-water mark (proc(5), clear_refs).
        File.WriteAllText("/proc/self/clear_refs", "5");
        _watch = WatchAsync();
    }

    public double OwnMiB { get; private set; }

    public double ChildMiB { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        OwnMiB = HighWaterMark("self") ?? 0;
        _end.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do
            {
                foreach (var child in Children())
                    ChildMiB = Math.Max(ChildMiB, HighWaterMark(child) ?? 0);
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private static IEnumerable<string> Children() => Directory.EnumerateDirectories("/proc/self/task")
        .Select(task => TryRead(Path.Combine(task, "children")))
        .SelectMany(children => children.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static double? HighWaterMark(string process)
    {
        var line = TryRead($"/proc/{process}/status").Split('\n').FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line[6..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
    }

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }
}
