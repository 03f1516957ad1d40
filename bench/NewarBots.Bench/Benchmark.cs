namespace NewarBots.Bench;

/// <summary>One subcommand: it measures and prints, and leaves nothing behind.</summary>
internal abstract class Benchmark
{
    public abstract string Name { get; }

    /// <summary>One line: what is measured, which arguments there are, and the goal.</summary>
    public abstract string Summary { get; }

    public abstract Task RunAsync(Arguments arguments, CancellationToken cancellation);
}

/// <summary>What follows the subcommand: <c>name=value</c>.</summary>
internal sealed class Arguments(IEnumerable<string> arguments)
{
    private readonly Dictionary<string, string> _values = arguments
        .Select(argument => argument.Split('=', 2))
        .ToDictionary(parts => parts[0], parts => parts.Length > 1 ? parts[1] : string.Empty);

    public int Int(string name, int otherwise) => _values.TryGetValue(name, out var value) ? int.Parse(value) : otherwise;

    public string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);
}
