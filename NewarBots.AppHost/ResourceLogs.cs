namespace NewarBots.AppHost;

/// <summary>Reads what resources have logged so far.</summary>
internal sealed class ResourceLogs(ResourceLoggerService logs, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <param name="resourceId">Id of the resource in the dashboard.</param>
    /// <param name="cancellation">Cancels reading.</param>
    /// <returns>The lines that the orchestrator returns in time. None if the resource is being restarted.</returns>
    public async Task<IReadOnlyList<string>> ReadAsync(string resourceId, CancellationToken cancellation)
    {
        var lines = new List<string>();
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            await foreach (var batch in logs.GetAllAsync(resourceId).WithCancellation(either.Token))
                lines.AddRange(batch.SelectMany(line => line.Content.Split('\n')));
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            // The orchestrator's exceptions are undocumented. None may end a report.
        }
        return lines;
    }
}
