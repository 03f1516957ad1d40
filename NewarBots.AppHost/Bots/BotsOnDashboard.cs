using System.Text.Json;
using Microsoft.Extensions.Hosting;

namespace NewarBots.AppHost.Bots;

/// <summary>Looks every other second, as long as the AppHost runs.</summary>
internal sealed class BotsOnDashboard(ManagerApi api, BotResources bots, BotLogs logs) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(logs.WatchAsync(stoppingToken), RefreshAsync(stoppingToken));

    private async Task RefreshAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (!api.IsKnown)
                continue;
            try
            {
                await bots.RefreshAsync(cancellation);
            }
            catch (Exception exception) when (IsManagerAway(exception) && !cancellation.IsCancellationRequested)
            {
                // The dashboard shows the manager's own state; the bots stay as they were last known.
            }
        }
    }

    private static bool IsManagerAway(Exception exception) => exception is HttpRequestException or TaskCanceledException or JsonException;
}
