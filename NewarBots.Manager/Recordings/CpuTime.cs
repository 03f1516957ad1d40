using System.Globalization;

namespace NewarBots.Manager.Recordings;

internal static class CpuTime
{
    /// <summary>The kernel's unit of times in <c>/proc</c> is 10 ms on each architecture that .NET supports.</summary>
    private const int TicksPerSecond = 100;

    /// <summary>CPU time of this process, and of all child processes that have ended, with theirs.</summary>
    public static TimeSpan OfThisProcess() => Read(File.ReadAllText("/proc/self/stat"));

    /// <param name="stat">As in <c>/proc/self/stat</c>. The second field is a name in parentheses, which may contain spaces.</param>
    internal static TimeSpan Read(string stat)
    {
        const int firstTime = 11;
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds(fields.Skip(firstTime).Take(4).Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) / (double)TicksPerSecond);
    }
}
