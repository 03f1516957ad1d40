using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.Manager.Ending;

/// <summary>Names what lies among the sessions and is nobody's. It hinders nothing.</summary>
internal sealed class OrphanedFoldersHealthCheck(OrphanedFolders leftovers) : IHealthCheck
{
    private const int MaxNames = 5;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var found = leftovers.Found;
        return Task.FromResult(HealthCheckResult.Healthy(found.Count == 0
            ? null
            : $"{found.Count} left by nobody: {string.Join(", ", found.Take(MaxNames).Select(leftover => leftover.Path))}{(found.Count > MaxNames ? ", …" : "")}"));
    }
}
