using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Finalizing;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Tracking;
using StackExchange.Redis;

namespace NewarBots.Manager.Reconciling;

/// <summary>
/// At start and every minute: looks at what runs and what is recorded, and mends what has come apart while nobody watched.
/// </summary>
internal sealed partial class Reconciler(
    IRecorderContainers containers,
    BotStore store,
    RecorderPreparation preparation,
    EndedBots ended,
    BotStopper stopper,
    TimeProvider time,
    ILogger<Reconciler> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly HashSet<SessionId> _reported = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var next = Interval;
            try
            {
                await ReconcileAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is ContainerEngineException || exception.IsRedisAway())
            {
                Log.Postponed(logger, exception.Message);
                next = RetryAfter;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await time.WaitAsync(next, stoppingToken);
        }
    }

    public async Task ReconcileAsync(CancellationToken cancellation)
    {
        var there = await containers.ListAsync(cancellation);
        var known = (await store.ActiveAsync()).ToDictionary(bot => bot.Id);
        foreach (var container in there)
        {
            if (!known.ContainsKey(container.Id) && await store.FindAsync(container.Id) is { } bot)
                known.Add(bot.Id, bot);
        }

        foreach (var bot in known.Values.Where(bot => bot.Status is > BotStatus.Queued and < BotStatus.Finalizing))
            await preparation.RestoreAsync(bot, cancellation);

        foreach (var action in ReconciliationPlan.Make(known.Values, there, time.GetUtcNow()))
        {
            switch (action)
            {
                case Reconciliation.TakeToItsEnd:
                    ended.Enqueue(action.Id);
                    break;
                case Reconciliation.StopAgain stop:
                    stopper.Enqueue(stop.Bot);
                    break;
                case Reconciliation.Report report when _reported.Add(action.Id):
                    Log.UnknownContainer(logger, RecorderContainerName.Of(action.Id), report.Container.State);
                    break;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Reconciliation has to wait: {Why}")]
        public static partial void Postponed(ILogger logger, string why);

        [LoggerMessage(LogLevel.Warning, "Container {Container} ({State}) belongs to no bot on record; it is left alone")]
        public static partial void UnknownContainer(ILogger logger, string container, RecorderContainerState state);
    }
}
