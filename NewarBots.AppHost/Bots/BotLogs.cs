using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NewarBots.AppHost.Bots;

/// <summary>Copies the logs of bots into the dashboard, of those that somebody looks at.</summary>
internal sealed partial class BotLogs(ResourceLoggerService loggers, ManagerApi api)
{
    private readonly ConcurrentDictionary<string, bool> _watched = new();
    private readonly Dictionary<string, int> _linesCopied = [];

    /// <summary>Knows from now on, until it is cancelled, who is looked at.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        await foreach (var (name, isWatched) in loggers.WatchAnySubscribersAsync(cancellation))
            _watched[name] = isWatched;
    }

    /// <summary>The lines that have been added since, where somebody looks at them.</summary>
    /// <exception cref="HttpRequestException">The manager does not answer.</exception>
    public async Task CopyAsync(BotResource bot, CancellationToken cancellation)
    {
        var logger = loggers.GetLogger(bot);
        if (!_watched.GetValueOrDefault(bot.Name))
            return;
        var text = await api.LogAsync(bot.Bot.Id, cancellation);
        // A line that is still being written comes whole the next time.
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n')[..^1];
        foreach (var line in lines.Skip(_linesCopied.GetValueOrDefault(bot.Name)))
            Log.Line(logger, line.TrimEnd('\r'));
        _linesCopied[bot.Name] = lines.Length;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Line}")]
        public static partial void Line(ILogger logger, string line);
    }
}
