using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Hosting;

/// <summary>Failures of a start that the user can repair: printed as one line each, where the runtime would print stack traces. The exit code is 1.</summary>
internal static partial class StartFailure
{
    private const int ExitCode = 1;

    /// <summary>
    /// These categories log the exception that ends a start, with its stack trace. Their minimum levels until the start is complete still let
    /// through the failure of a background service.
    /// </summary>
    private static readonly Dictionary<string, LogLevel> LevelsDuringStart = new()
    {
        ["Microsoft.Extensions.Hosting.Internal.Host"] = LogLevel.Critical,
        ["Microsoft.AspNetCore.Server.Kestrel"] = LogLevel.None,
    };

    public static void PrintPlainly() => AppDomain.CurrentDomain.UnhandledException += (_, thrown) =>
    {
        if (LinesOf((Exception)thrown.ExceptionObject) is not { Count: > 0 } lines)
            return;
        foreach (var line in lines)
            Console.Error.WriteLine($"Error: {line}");
        Environment.Exit(ExitCode);
    };

    /// <summary>Silences the stack traces of the framework until the start is complete. The runtime prints those of unexpected exceptions.</summary>
    public static WebApplication UsePlainStartFailures(this WebApplication app)
    {
        app.Lifetime.ApplicationStarted.Register(() => app.Services.GetRequiredService<StartState>().IsStarted = true);
        return app;
    }

    public static IHostApplicationBuilder AddPlainStartFailures(this IHostApplicationBuilder builder)
    {
        var state = new StartState();
        builder.Services.AddSingleton(state);
        foreach (var (category, minimum) in LevelsDuringStart)
            builder.Logging.AddFilter(category, level => level >= (state.IsStarted ? LogLevel.Warning : minimum));
        return builder;
    }

    /// <returns>Empty for an unexpected exception.</returns>
    internal static IReadOnlyList<string> LinesOf(Exception exception) => exception switch
    {
        InvalidSettingException => [exception.Message],
        OptionsValidationException options => [.. options.Failures],
        AggregateException all when all.InnerExceptions.Select(LinesOf).ToList() is var lines && lines.TrueForAll(each => each.Count > 0) => [.. lines.SelectMany(each => each)],
        InvalidOperationException when FailedConversion().Match(exception.Message) is { Success: true } match =>
            [$"{match.Groups["key"].Value} must be {KindOf(match.Groups["type"].Value)} (it is '{match.Groups["value"].Value}')."],
        IOException { InnerException: AddressInUseException } =>
            [$"{exception.Message.TrimEnd('.')}. Stop the program that uses it, or set ASPNETCORE_URLS to another address."],
        _ => [],
    };

    private static string KindOf(string type) => type switch
    {
        "System.Int32" or "System.Int64" => "an integer",
        "System.Double" or "System.Decimal" => "a number",
        "System.Boolean" => "true or false",
        "System.TimeSpan" => "a duration as hours:minutes:seconds, for example 00:05:00",
        "System.Uri" => "an address",
        _ => $"a {type[(type.LastIndexOf('.') + 1)..]}",
    };

    /// <summary>The message of the configuration binder.</summary>
    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<key>.*)' to type '(?<type>.*)'.$", RegexOptions.Singleline, matchTimeoutMilliseconds: 100)]
    private static partial Regex FailedConversion();

    private sealed class StartState
    {
        public bool IsStarted { get; set; }
    }
}
