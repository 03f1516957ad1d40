using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>Measures the resource usage of the bots' containers while an exporter collects it.</summary>
internal sealed class ContainerUsage(IRecorderRuntime runtime, BotMetrics metrics, BackgroundLoops loops, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    /// <summary>CPU time at the previous measurement, and its timestamp.</summary>
    private Dictionary<SessionId, (TimeSpan Cpu, long At)> _previous = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("measure what bots use", Interval, MeasureIfWantedAsync, stoppingToken);

    private async Task MeasureIfWantedAsync(CancellationToken cancellation)
    {
        if (!metrics.IsUsageWanted)
            return;
        try
        {
            await MeasureAsync(cancellation);
        }
        catch (ContainerEngineException)
        {
            // Skip this measurement. The services that depend on the engine log the failure.
        }
    }

    internal async Task MeasureAsync(CancellationToken cancellation)
    {
        var current = new Dictionary<SessionId, (TimeSpan Cpu, long At)>();
        foreach (var (id, state) in (await runtime.ListAsync(cancellation)).Select(container => (container.Id, container.State)))
        {
            if (state is not RecorderContainerState.Running || await TryMeasureAsync(id, cancellation) is not { } usage)
                continue;
            current[id] = (usage.Cpu, time.GetTimestamp());
            metrics.Used(
                usage.MemoryBytes,
                _previous.TryGetValue(id, out var previous) ? (usage.Cpu - previous.Cpu) / time.GetElapsedTime(previous.At) : null);
        }

        _previous = current;
    }

    /// <summary>A container that cannot be measured does not hide the others.</summary>
    private async Task<RecorderUsage?> TryMeasureAsync(SessionId id, CancellationToken cancellation)
    {
        try
        {
            return await runtime.MeasureAsync(id, cancellation);
        }
        catch (ContainerEngineException)
        {
            return null;
        }
    }
}
