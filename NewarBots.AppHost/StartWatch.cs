using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NewarBots.AppHost;

/// <summary>
/// Logs every 15 seconds what a start waits for, until the manager has answered. A start without progress for the start timeout ends the AppHost
/// with exit code 1. A start that has failed waits for nothing: it can be repeated in the dashboard.
/// </summary>
internal sealed partial class StartWatch(
    AppHostSettings settings, ProjectResource manager, Bots.ManagerApi api, ResourceNotificationService notifications, ResourceLogs logs,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<StartWatch> logger) : EarlyService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = time.GetTimestamp();
        var progress = new StartProgress(time);
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken) && !api.HasAnswered)
        {
            if (KnownResourceStates.TerminalStates.Contains(SnapshotOf(manager)?.State?.Text))
            {
                progress.Reset();
                continue;
            }

            var pending = PendingResources.Of(manager, SnapshotOf);
            var texts = new List<string>();
            var lines = 0;
            foreach (var resource in pending)
            {
                var log = await LogOfAsync(resource, stoppingToken);
                lines += log.Count;
                texts.Add($"{resource.Name} ({PendingResources.Describe(SnapshotOf(resource))}{(log.Count == 0 ? "" : $", last output: {log[^1]}")})");
            }

            var waitsFor = string.Join(" and ", texts);
            var fault = await DockerEngine.FindFaultAsync(time, stoppingToken);
            var idle = progress.Note(string.Join(' ', pending.Select(resource => $"{resource.Name} {SnapshotOf(resource)?.State?.Text}")), lines);
            if (idle >= settings.StartTimeout)
            {
                Log.Failed(logger, settings.StartTimeout, waitsFor, fault);
                Environment.ExitCode = StartFailure.ExitCode;
                lifetime.StopApplication();
                return;
            }

            var seconds = (int)time.GetElapsedTime(started).TotalSeconds;
            if (fault.Length > 0)
                Log.WaitsForDocker(logger, seconds, waitsFor, fault);
            else
                Log.Waits(logger, seconds, waitsFor);
        }
    }

    private CustomResourceSnapshot? SnapshotOf(IResource resource) =>
        notifications.TryGetCurrentState(resource.Name, out var found) ? found.Snapshot : null;

    /// <summary>The lines of an image build so far, without those of Aspire itself. None for other resources.</summary>
    private async Task<IReadOnlyList<string>> LogOfAsync(IResource resource, CancellationToken cancellation) =>
        resource is ExecutableResource && notifications.TryGetCurrentState(resource.Name, out var found)
            ? [.. (await logs.ReadAsync(found.ResourceId, cancellation)).Select(WithoutTime).Where(line => line.Length > 0 && !IsOfAspire(line))]
            : [];

    /// <summary>A line begins with its time, for example <c>2026-11-30T08:30:38.1272640Z</c>.</summary>
    private static string WithoutTime(string line) => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim();

    private static bool IsOfAspire(string line) =>
        line.StartsWith("[sys]", StringComparison.Ordinal) || line.StartsWith("No custom certificate authorities", StringComparison.Ordinal);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Starting for {Seconds} s. Waiting for {Resources}.")]
        public static partial void Waits(ILogger logger, int seconds, string resources);

        [LoggerMessage(LogLevel.Warning, "Starting for {Seconds} s. Waiting for {Resources}. {Fault}")]
        public static partial void WaitsForDocker(ILogger logger, int seconds, string resources, string fault);

        [LoggerMessage(LogLevel.Error,
            "The start failed: no progress for {Timeout} while waiting for {Resources}. {Fault} NewarBots stops. Repair this and start again; if the machine "
            + "is only slow, set Start__Timeout to a longer time.")]
        public static partial void Failed(ILogger logger, TimeSpan timeout, string resources, string fault);
    }
}
