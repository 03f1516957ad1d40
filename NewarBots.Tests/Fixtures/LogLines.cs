using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NewarBots.Tests.Fixtures;

/// <summary>Keeps all lines that are logged.</summary>
internal sealed class LogLines<T> : ILogger<T>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _all = [];

    public IReadOnlyCollection<(LogLevel Level, string Text)> All => _all;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _all.Enqueue((logLevel, formatter(state, exception)));
}
