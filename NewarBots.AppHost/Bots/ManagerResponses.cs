using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.AppHost.Bots;

/// <summary>A bot in the manager's API, with the fields that the dashboard needs.</summary>
internal sealed record ManagedBot(
    string Id,
    string Status,
    string? Reason,
    string MeetingUrl,
    string BotName,
    string UserId,
    string ContainerName,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RecordingAt,
    DateTimeOffset? EndedAt,
    int Chunks,
    double RecordedSeconds,
    int? Participants,
    ManagedRecording? Recording,
    string? Error)
{
    public DateTimeOffset? StartAt { get; init; }

    public bool IsScheduled => Status is "scheduled";

    public bool HasEnded => Status is "completed" or "failed" or "cancelled";

    public bool CanBeStopped => !HasEnded && Status is not ("leaving" or "finalizing");
}

internal sealed record ManagedRecording(bool Complete);

internal sealed record ManagedBotPage(IReadOnlyList<ManagedBot> Items, string? NextCursor);

/// <summary>The response of the manager's <c>/health</c>.</summary>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Checks">By name. The manager sends them only to this machine.</param>
internal sealed record ManagerHealth(string Status, IReadOnlyDictionary<string, ManagerHealthCheck>? Checks)
{
    /// <summary>The dashboard shows a degraded manager as unhealthy too, with the reasons.</summary>
    public HealthCheckResult ToResult() => IsHealthy(Status)
        ? HealthCheckResult.Healthy()
        : HealthCheckResult.Unhealthy(string.Join(' ', (Checks ?? new Dictionary<string, ManagerHealthCheck>())
            .Where(check => !IsHealthy(check.Value.Status))
            .Select(check => $"{check.Key}: {check.Value.Description}")));

    private static bool IsHealthy(string status) => status == "healthy";
}

internal sealed record ManagerHealthCheck(string Status, string? Description);
