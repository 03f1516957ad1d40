namespace NewarBots.Bench;

/// <summary>What else the machine has to do: without it, no figure says anything.</summary>
internal static class MachineLoad
{
    /// <summary>Linux's load averages of 1, 5 and 15 minutes.</summary>
    public static void Print(string when) =>
        Console.WriteLine($"{when}: {Environment.ProcessorCount} cores, load {string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3])}");
}
