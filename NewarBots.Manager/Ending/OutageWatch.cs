using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.ServiceDefaults;
using StackExchange.Redis;

namespace NewarBots.Manager.Ending;

/// <summary>
/// Notices the end of an outage that postponed bots: those bots are retried at once, not up to an hour later. An outage counts as over only
/// after this has seen it, so a bot that fails for another reason keeps its backoff.
/// </summary>
internal sealed class OutageWatch(
    RetryBackoff backoff, IConnectionMultiplexer redis, IRecorderRuntime runtime, FFmpeg ffmpeg, StorageCheck storage, TimeProvider time,
    BackgroundLoops loops) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FFmpegTimeout = TimeSpan.FromSeconds(5);

    private readonly HashSet<FailureCause> _outages = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loops.RunAsync("outages", every: Interval, CheckAsync, stoppingToken);

    internal async Task CheckAsync(CancellationToken cancellation)
    {
        foreach (var cause in backoff.All.Select(postponed => postponed.Cause).Where(cause => cause is not FailureCause.Bot).ToHashSet())
        {
            if (!await WorksAsync(cause, cancellation))
                _outages.Add(cause);
            else if (_outages.Remove(cause))
                backoff.EndOutage(cause);
        }
    }

    private async Task<bool> WorksAsync(FailureCause cause, CancellationToken cancellation)
    {
        try
        {
            switch (cause)
            {
                case FailureCause.Redis:
                    await redis.ProbeAsync(time, cancellation);
                    return true;
                case FailureCause.Engine:
                    await runtime.ListAsync(cancellation);
                    return true;
                case FailureCause.FFmpeg:
                    await ffmpeg.ReadVersionAsync(FFmpegTimeout, cancellation);
                    return true;
                case FailureCause.Host:
                    // Nothing tells how much is enough. The next attempt does.
                    return true;
                default:
                    return await storage.FindFaultAsync(cancellation) is null;
            }
        }
        catch (Exception exception) when (
            exception is ContainerEngineException or FFmpegMissingException or FinalizationException or IOException or TimeoutException or RedisException)
        {
            return false;
        }
    }
}
