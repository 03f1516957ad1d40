using System.Globalization;

namespace NewarBots.Bench;

/// <summary>
/// Peak resident memory of a process and of its descendants until disposed, from /proc. The kernel keeps the peak of each process (VmHWM). A
/// descendant that lives for less than the interval may be missed.
/// </summary>
internal sealed class PeakMemory : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly int _process;
    private readonly Task _watch;

    /// <param name="process">The process id.</param>
    /// <param name="interval">How often the descendants are read.</param>
    public PeakMemory(int process, TimeSpan interval)
    {
        _process = process;
        // Resets the kernel's high-water mark (proc(5), clear_refs).
        File.WriteAllText($"/proc/{process}/clear_refs", "5");
        _watch = Task.Run(() => WatchAsync(interval));
    }

    public double OwnMiB { get; private set; }

    /// <summary>The largest descendant.</summary>
    public double ChildMiB { get; private set; }

    /// <summary>All descendants together. Pages that they share are counted for each.</summary>
    public double ChildrenMiB { get; private set; }

    public int MostChildren { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        _end.Dispose();
    }

    private async Task WatchAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        try
        {
            do
            {
                Measure();
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            Measure();
        }
    }

    private void Measure()
    {
        OwnMiB = Math.Max(OwnMiB, Read(_process, "VmHWM:"));
        var children = Descendants(_process).ToList();
        MostChildren = Math.Max(MostChildren, children.Count);
        ChildMiB = children.Select(child => Read(child, "VmHWM:")).Append(ChildMiB).Max();
        ChildrenMiB = Math.Max(ChildrenMiB, children.Sum(child => Read(child, "VmRSS:")));
    }

    private static IEnumerable<int> Descendants(int process)
    {
        foreach (var child in Children(process))
        {
            yield return child;
            foreach (var descendant in Descendants(child))
                yield return descendant;
        }
    }

    private static IEnumerable<int> Children(int process)
    {
        try
        {
            return [.. Directory.EnumerateDirectories($"/proc/{process}/task")
                .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(int.Parse)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <returns>0 if the process has ended.</returns>
    private static double Read(int process, string field)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal));
            return line is null ? 0 : double.Parse(line[field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
