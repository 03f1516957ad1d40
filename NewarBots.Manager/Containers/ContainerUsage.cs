using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>Looks now and then at what the bots' containers use, where anybody wants to know.</summary>
internal sealed class ContainerUsage(IRecorderContainers containers, BotMetrics metrics, BackgroundLoops loops, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    /// <summary>How busy each bot had been, and when.</summary>
    private Dictionary<SessionId, (TimeSpan Cpu, long At)> _before = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("measure what bots use", Interval, LookIfWantedAsync, stoppingToken);

    private async Task LookIfWantedAsync(CancellationToken cancellation)
    {
        if (!metrics.IsUsageWanted)
            return;
        try
        {
            await LookAsync(cancellation);
        }
        catch (ContainerEngineException)
        {
            // Whoever cannot do without the engine says so.
        }
    }

    internal async Task LookAsync(CancellationToken cancellation)
    {
        var seen = new Dictionary<SessionId, (TimeSpan Cpu, long At)>();
        foreach (var (id, _, state, _) in await containers.ListAsync(cancellation))
        {
            if (state is not RecorderContainerState.Running || await containers.MeasureAsync(id, cancellation) is not { } usage)
                continue;
            seen[id] = (usage.Cpu, time.GetTimestamp());
            metrics.Used(
                usage.MemoryBytes,
                _before.TryGetValue(id, out var before) ? (usage.Cpu - before.Cpu) / time.GetElapsedTime(before.At) : null);
        }

        _before = seen;
    }
}
