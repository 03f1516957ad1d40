using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>Deletes session folders that had too many entries for the caller that removed them, and those that a crashed manager left.</summary>
internal sealed partial class DeletedFolders(SessionFolders folders, BackgroundLoops loops, TimeProvider time, ILogger<DeletedFolders> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>A million files take about 20 seconds on an SSD.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromHours(2);

    private readonly HashSet<string> _reported = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loops.RunAsync(
        "delete session folders", LongestTurn, EmptyAsync, token => folders.HasDeleted.WaitAsync(Interval, time, token), stoppingToken);

    private async Task EmptyAsync(CancellationToken cancellation)
    {
        // A hosted service must not block the start of the others.
        await Task.Yield();
        try
        {
            foreach (var path in folders.EmptyDeleted(cancellation).Where(path => !cancellation.IsCancellationRequested && _reported.Add(path)))
                Log.NotDeleted(logger, path);
        }
        catch (IOException exception)
        {
            Log.WillRetry(logger, exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Path} was not deleted within an hour or cannot be deleted, will retry every 10 minutes: if it stays, check its owner and permissions")]
        public static partial void NotDeleted(ILogger logger, string path);

        [LoggerMessage(LogLevel.Warning, "Deleting removed session folders failed, will retry: {Error}")]
        public static partial void WillRetry(ILogger logger, string error);
    }
}
