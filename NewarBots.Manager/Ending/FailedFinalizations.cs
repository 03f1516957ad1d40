using Microsoft.Extensions.Diagnostics.HealthChecks;
using NewarBots.Contract;

namespace NewarBots.Manager.Ending;

/// <summary>The bots that this manager ended with <see cref="EndReason.FinalizationFailed"/> in the last day, the latest ones.</summary>
internal sealed class FailedFinalizations(TimeProvider time)
{
    private const int Kept = 20;

    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly Queue<(SessionId Id, string Error, long At)> _failed = new();

    /// <param name="id">The bot.</param>
    /// <param name="error">One sentence without paths and commands.</param>
    public void Add(SessionId id, string error)
    {
        lock (_lock)
        {
            _failed.Enqueue((id, error, time.GetTimestamp()));
            if (_failed.Count > Kept)
                _failed.Dequeue();
        }
    }

    public IReadOnlyList<(SessionId Id, string Error)> Latest()
    {
        lock (_lock)
            return [.. _failed.Where(failed => time.GetElapsedTime(failed.At) < KeptFor).Select(failed => (failed.Id, failed.Error))];
    }
}

/// <summary>Lists bots whose recording could not be finalized. Healthy, because nothing else is affected.</summary>
internal sealed class FailedFinalizationsHealthCheck(FailedFinalizations failed) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var latest = failed.Latest();
        return Task.FromResult(HealthCheckResult.Healthy(
            latest is [] ? null : string.Join(" ", latest.Select(bot => $"Bot {bot.Id} ended with finalization_failed: {bot.Error}"))));
    }
}
