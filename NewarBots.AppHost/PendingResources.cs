using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.AppHost;

/// <summary>Finds what a start waits for.</summary>
internal static class PendingResources
{
    /// <summary>
    /// The resources that hold back the start of <paramref name="goal"/> at the moment, directly or through others: for example an image that is
    /// being built for Redis, which the manager needs. If nothing holds it back, the goal itself.
    /// </summary>
    /// <param name="goal">A resource of the model.</param>
    /// <param name="snapshotOf">The current state of a resource; <see langword="null"/> if it has none yet.</param>
    public static IReadOnlyList<IResource> Of(IResource goal, Func<IResource, CustomResourceSnapshot?> snapshotOf)
    {
        var causes = goal.Annotations.OfType<WaitAnnotation>().Where(wait => !IsMet(wait, snapshotOf(wait.Resource))).ToList();
        return causes.Count == 0 ? [goal] : [.. causes.SelectMany(wait => Of(wait.Resource, snapshotOf)).Distinct()];
    }

    /// <summary>A few words for the console, for example <c>running but unhealthy: no connection</c>.</summary>
    public static string Describe(CustomResourceSnapshot? snapshot) => snapshot switch
    {
        { State.Text: { } state, HealthStatus: { } health and not HealthStatus.Healthy } when state == KnownResourceStates.Running =>
            string.Join(": ", ["running but unhealthy", .. snapshot.HealthReports.Where(report => report.Status != HealthStatus.Healthy).Select(report => report.Description).Where(text => text is not null).Take(1)]),
        { State.Text: { } state } when state == KnownResourceStates.RuntimeUnhealthy => "Docker is unhealthy",
        { State.Text: { Length: > 0 } state } => state.ToLowerInvariant(),
        _ => "not created yet",
    };

    private static bool IsMet(WaitAnnotation wait, CustomResourceSnapshot? snapshot) => wait.WaitType is WaitType.WaitForCompletion
        ? KnownResourceStates.TerminalStates.Contains(snapshot?.State?.Text) && snapshot?.ExitCode == wait.ExitCode
        : snapshot?.HealthStatus is HealthStatus.Healthy;
}
