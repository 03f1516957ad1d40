using System.Globalization;

namespace NewarBots.Manager.Recordings;

/// <summary>Limits of one child process and, except for <see cref="Timeout"/>, of each process that it starts. The kernel enforces them.</summary>
/// <param name="Timeout">Wall-clock time, after which the whole process group is killed.</param>
/// <param name="Cpu">CPU time.</param>
/// <param name="FileBytes">Length of each file that it writes.</param>
internal sealed record ProcessLimits(TimeSpan Timeout, TimeSpan Cpu, long FileBytes)
{
    private const long MiB = 1024 * 1024;

    /// <summary>After the soft limit the process can still report it; after the hard one it is killed.</summary>
    private const int SecondsToReport = 2;

    /// <summary>Bytes of private memory.</summary>
    public long Memory { get; init; } = 384 * MiB;

    /// <summary>Bytes of address space. Programs reserve far more than they use, .NET above all.</summary>
    public long AddressSpace { get; init; } = 2048 * MiB;

    public int OpenFiles { get; init; } = 256;

    /// <summary>CPU time of a confined process and all that it has started. It starts nothing more after that (<see cref="ConfinedProcess"/>).</summary>
    public TimeSpan TotalCpu { get; init; } = TimeSpan.MaxValue;

    /// <summary>The hard limits of the manager: <c>ulimit</c>, <c>LimitAS</c> of systemd. Without privileges it cannot exceed them.</summary>
    public static ProcessLimits OfThisProcess { get; } = Read(File.ReadLines("/proc/self/limits"));

    /// <param name="lines">As in <c>/proc/self/limits</c>: a name of 25 characters, the soft limit, the hard limit, the unit.</param>
    internal static ProcessLimits Read(IEnumerable<string> lines)
    {
        const int lengthOfName = 25;
        var limits = lines
            .Where(line => line.Length > lengthOfName)
            .ToDictionary(
                line => line[..lengthOfName].TrimEnd(),
                line => line[lengthOfName..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var hard, ..] && long.TryParse(hard, CultureInfo.InvariantCulture, out var limit) ? limit : long.MaxValue);
        var cpu = Of("Max cpu time");
        return new(TimeSpan.MaxValue, cpu == long.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromSeconds(Math.Clamp(cpu - SecondsToReport, 1, int.MaxValue)), Of("Max file size"))
        {
            Memory = Of("Max data size"),
            AddressSpace = Of("Max address space"),
            OpenFiles = (int)Math.Min(Of("Max open files"), int.MaxValue),
        };

        long Of(string name) => limits.GetValueOrDefault(name, long.MaxValue);
    }

    /// <summary>A process cannot raise the limits that it has itself.</summary>
    public ProcessLimits Within(ProcessLimits outer) => this with
    {
        Cpu = Cpu < outer.Cpu ? Cpu : outer.Cpu,
        FileBytes = Math.Min(FileBytes, outer.FileBytes),
        Memory = Math.Min(Memory, outer.Memory),
        AddressSpace = Math.Min(AddressSpace, outer.AddressSpace),
        OpenFiles = Math.Min(OpenFiles, outer.OpenFiles),
    };

    /// <summary>The command line that applies the limits (prlimit of util-linux) and executes the command that follows.</summary>
    public IEnumerable<string> Command()
    {
        var seconds = (long)Math.Ceiling(Cpu.TotalSeconds);
        return
        [
            "prlimit", "--core=0",
            string.Create(CultureInfo.InvariantCulture, $"--cpu={seconds}:{seconds + SecondsToReport}"),
            string.Create(CultureInfo.InvariantCulture, $"--fsize={FileBytes}"),
            string.Create(CultureInfo.InvariantCulture, $"--data={Memory}"),
            string.Create(CultureInfo.InvariantCulture, $"--as={AddressSpace}"),
            string.Create(CultureInfo.InvariantCulture, $"--nofile={OpenFiles}"),
        ];
    }
}
