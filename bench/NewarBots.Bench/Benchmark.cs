namespace NewarBots.Bench;

/// <summary>A subcommand that measures, prints and cleans up.</summary>
internal abstract class Benchmark
{
    public abstract string Name { get; }

    /// <summary>One line with arguments, measurement and goal.</summary>
    public abstract string Summary { get; }

    public abstract Task RunAsync(Arguments arguments, CancellationToken cancellation);

    /// <summary>Prints Linux's load averages of 1, 5 and 15 minutes, without which no figure can be compared.</summary>
    protected static void PrintLoad(string when) =>
        Console.WriteLine($"{when}: {Environment.ProcessorCount} cores, load {string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3])}");
}

/// <summary>The arguments after the subcommand, as <c>name=value</c>.</summary>
internal sealed class Arguments(IEnumerable<string> arguments)
{
    private readonly Dictionary<string, string> _values = arguments
        .Select(argument => argument.Split('=', 2))
        .ToDictionary(parts => parts[0], parts => parts.Length > 1 ? parts[1] : string.Empty);

    public int Int(string name, int defaultValue) => _values.TryGetValue(name, out var value) ? int.Parse(value) : defaultValue;

    public string Text(string name, string defaultValue) => _values.GetValueOrDefault(name, defaultValue);
}
