using Microsoft.Extensions.Options;

namespace NewarBots.AppHost;

/// <summary>Settings that prevent a start.</summary>
/// <param name="faults">One sentence per invalid setting, with its name, its value and what is allowed.</param>
internal sealed class InvalidSettingsException(IReadOnlyList<string> faults) : Exception(string.Join(' ', faults))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>Failures that the user can repair: printed as one line each, where the runtime would print a stack trace. The exit code is 1.</summary>
internal static class StartFailure
{
    public const int ExitCode = 1;

    public static void PrintPlainly() => AppDomain.CurrentDomain.UnhandledException += (_, thrown) =>
    {
        if (LinesOf((Exception)thrown.ExceptionObject) is not { Count: > 0 } lines)
            return;
        foreach (var line in lines)
            Console.Error.WriteLine($"Error: {line}");
        Environment.Exit(ExitCode);
    };

    /// <returns>Empty for an unexpected exception.</returns>
    private static IReadOnlyList<string> LinesOf(Exception exception) => exception switch
    {
        InvalidSettingsException settings => settings.Faults,
        OptionsValidationException options => [.. options.Failures],
        DistributedApplicationException => [exception.Message.ReplaceLineEndings(" ").Trim()],
        AggregateException { InnerExceptions: [var only] } => LinesOf(only),
        _ => [],
    };
}
