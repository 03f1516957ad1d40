using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NewarBots.AppHost.Bots;

namespace NewarBots.AppHost;

/// <summary>
/// Logs where to find NewarBots once the manager is healthy, and each failure of a resource with the end of its log. The AppHost keeps running
/// after a failure, because a resource can be started again in the dashboard.
/// </summary>
internal sealed partial class StartReport(
    AppHostSettings settings, ProjectResource manager, ManagerApi api, ResourceNotificationService notifications, ResourceLogs logs,
    IHostApplicationLifetime lifetime, ILogger<StartReport> logger) : EarlyService
{
    private const int LogLines = 5;

    /// <summary>After this time, a manager that has not answered yet is reported. Until then, it is starting.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);

    /// <summary>The last state that was reported, by resource id.</summary>
    private readonly Dictionary<string, string> _reported = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            // Resources that end with the AppHost have not failed. Bots end by themselves.
            if (lifetime.ApplicationStopping.IsCancellationRequested || change.Resource is BotResource)
                continue;
            var state = StateOf(change);
            if (state is null || _reported.GetValueOrDefault(change.ResourceId) == state)
                continue;
            _reported[change.ResourceId] = state;
            if (state is "")
                Log.Up(logger, Address, Address, Address, Dashboard, Path.Combine(settings.Manager.StoragePath, "recordings"));
            else if (change.Snapshot.State?.Text == KnownResourceStates.Running)
                Log.Unhealthy(logger, change.Resource.Name, state, Dashboard);
            else
                Log.Failed(logger, change.Resource.Name, state, Dashboard, await EndOfLogAsync(change.ResourceId, stoppingToken));
        }
    }

    private string Address => api.Address;

    private string Dashboard => settings.Addresses.Dashboard.ToString();

    /// <returns>Empty if the manager is healthy, the reason if a resource failed or the manager is unhealthy, else <see langword="null"/>.</returns>
    private string? StateOf(ResourceEvent change) => change.Snapshot switch
    {
        { ExitCode: { } code and not 0 } => $"exit code {code}",
        { State.Text: { } state } when state == KnownResourceStates.FailedToStart || state == KnownResourceStates.RuntimeUnhealthy => state,
        { HealthReports: [{ Status: HealthStatus.Healthy }] } when change.Resource == manager => string.Empty,
        { HealthReports: [{ Status: HealthStatus.Unhealthy, LastRunAt: { } checkedAt } report] }
            when change.Resource == manager && (api.HasAnswered || checkedAt - change.Snapshot.StartTimeStamp > StartTimeout) => report.Description,
        _ => null,
    };

    private async Task<string> EndOfLogAsync(string resource, CancellationToken cancellation)
    {
        var lines = await logs.ReadAsync(resource, cancellation);
        return string.Concat(lines.Where(line => !IsOfStackTrace(line)).TakeLast(LogLines).Select(line => $"\n  | {line.TrimEnd()}"));
    }

    /// <summary>The exceptions of Aspire say the reason in their message.</summary>
    private static bool IsOfStackTrace(string line) =>
        line.TrimStart() is var text && (text.StartsWith("at ", StringComparison.Ordinal) || text.StartsWith("--- End of ", StringComparison.Ordinal));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, """
            NewarBots is up.
              Page        {Page}/
              API         {Api}/scalar
              Rehearsals  {Rehearsals}/rehearsal
              Dashboard   {Dashboard}
              Recordings  {Recordings}
            Press Ctrl-C to stop. Bots that are recording continue.
            """)]
        public static partial void Up(ILogger logger, string page, string api, string rehearsals, string dashboard, string recordings);

        [LoggerMessage(LogLevel.Warning, "{Resource} is unhealthy: {Reason} More in the dashboard: {Dashboard}")]
        public static partial void Unhealthy(ILogger logger, string resource, string? reason, string dashboard);

        [LoggerMessage(LogLevel.Error, "{Resource} failed ({Reason}). Start it again in the dashboard, {Dashboard}, or restart everything. The end of its log:{Log}")]
        public static partial void Failed(ILogger logger, string resource, string reason, string dashboard, string log);
    }
}
