using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.AppHost.Bots;

/// <summary>How the manager is, by its own <c>/health</c>.</summary>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Checks">By name; only this machine is told of them.</param>
internal sealed record ManagerHealth(string Status, IReadOnlyDictionary<string, ManagedCheck>? Checks)
{
    /// <summary>In the dashboard whatever keeps the manager from a part of its work is unhealthy, and says why.</summary>
    public HealthCheckResult OnDashboard => IsHealthy(Status)
        ? HealthCheckResult.Healthy()
        : HealthCheckResult.Unhealthy(string.Join(' ', (Checks ?? new Dictionary<string, ManagedCheck>())
            .Where(check => !IsHealthy(check.Value.Status))
            .Select(check => $"{check.Key}: {check.Value.Description}")));

    private static bool IsHealthy(string status) => status == "healthy";
}

internal sealed record ManagedCheck(string Status, string? Description);
