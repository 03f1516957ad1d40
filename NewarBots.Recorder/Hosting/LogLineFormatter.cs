using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace NewarBots.Recorder.Hosting;

/// <summary>One line for each log record, without event ids: <c>10:21:04.117 info: StatusReporter: Status Recording</c>. Times are UTC.</summary>
internal sealed class LogLineFormatter(TimeProvider time) : ConsoleFormatter(Format)
{
    public const string Format = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var category = logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..];
        var line = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():HH:mm:ss.fff} {Word(logEntry.LogLevel)}: {category}: {message} {logEntry.Exception}");
        textWriter.WriteLine(line.ReplaceLineEndings(" ").TrimEnd());
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
