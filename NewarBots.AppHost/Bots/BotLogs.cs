using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NewarBots.AppHost.Bots;

/// <summary>Copies container logs into the dashboard, for the bots whose logs are open there.</summary>
internal sealed partial class BotLogs(ResourceLoggerService loggers, ManagerApi api)
{
    private readonly ConcurrentDictionary<string, bool> _watched = new();
    private readonly Dictionary<string, int> _linesCopied = [];

    /// <summary>Tracks until cancelled which logs are open in the dashboard.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        await foreach (var (name, isWatched) in loggers.WatchAnySubscribersAsync(cancellation))
            _watched[name] = isWatched;
    }

    /// <summary>Copies new lines if the bot's log is open.</summary>
    /// <exception cref="HttpRequestException">The manager is unreachable.</exception>
    public async Task CopyAsync(BotResource bot, CancellationToken cancellation)
    {
        var logger = loggers.GetLogger(bot);
        if (!_watched.GetValueOrDefault(bot.Name))
            return;
        var text = await api.LogAsync(bot.Bot.Id, cancellation);
        // An incomplete last line is copied next time.
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
