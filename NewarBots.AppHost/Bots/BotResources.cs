using System.Text.Json;
using Microsoft.Extensions.Hosting;

namespace NewarBots.AppHost.Bots;

/// <summary>
/// The bots in the dashboard's list: all active ones, and those that ended while shown, as long as they are on the newest page.
/// </summary>
internal sealed class BotResources(ManagerApi api, ProjectResource manager, ResourceNotificationService notifications, BotLogs logs)
{
    private readonly Dictionary<string, BotResource> _shown = [];
    private bool _hasListedAll;

    /// <summary>Updates the list from the manager.</summary>
    /// <exception cref="HttpRequestException">The manager is unreachable. The list may be partly updated.</exception>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        var bots = await ReadAsync(cancellation);
        foreach (var bot in bots.Values)
        {
            if (!_shown.TryGetValue(bot.Id, out var resource))
            {
                if (bot.HasEnded)
                    continue;
                _shown[bot.Id] = resource = new BotResource(bot, manager, api);
            }
            resource.Bot = bot;
            await ShowAsync(resource);
            await logs.CopyAsync(resource, cancellation);
        }

        foreach (var gone in _shown.Values.Where(resource => !bots.ContainsKey(resource.Bot.Id)).ToList())
        {
            _shown.Remove(gone.Bot.Id);
            await notifications.PublishUpdateAsync(gone, snapshot => snapshot with { IsHidden = true });
        }
    }

    /// <summary>Reads all bots the first time, then only the newest page and older bots that are still active.</summary>
    private async Task<Dictionary<string, ManagedBot>> ReadAsync(CancellationToken cancellation)
    {
        if (!_hasListedAll)
        {
            var all = await api.ListAllAsync(cancellation).ToDictionaryAsync(bot => bot.Id, cancellationToken: cancellation);
            _hasListedAll = true;
            return all;
        }

        var bots = (await api.ListAsync(cursor: null, cancellation)).Items.ToDictionary(bot => bot.Id);
        foreach (var older in _shown.Values.Where(resource => !resource.Bot.HasEnded && !bots.ContainsKey(resource.Bot.Id)).ToList())
        {
            if (await api.FindAsync(older.Bot.Id, cancellation) is { } bot)
                bots[bot.Id] = bot;
        }
        return bots;
    }

    private Task ShowAsync(BotResource resource)
    {
        var bot = resource.Bot;
        var view = BotView.Of(bot);
        return notifications.PublishUpdateAsync(resource, snapshot => snapshot with
        {
            ResourceType = BotResource.Type,
            IconName = "Bot",
            State = new(view.State, view.Style),
            CreationTimeStamp = bot.CreatedAt.UtcDateTime,
            StartTimeStamp = bot.RecordingAt?.UtcDateTime,
            StopTimeStamp = bot.EndedAt?.UtcDateTime,
            Properties =
            [
                new("resource.parentName", ParentId),
                new(CustomResourceKnownProperties.Source, view.Source),
                .. view.Properties.Select(property => new ResourcePropertySnapshot(property.Key, property.Value) { IsHighlighted = true }),
            ],
            Urls = [.. view.Links.Select((link, order) => new UrlSnapshot(link.Key, api.Address + link.Value, IsInternal: false)
            {
                DisplayProperties = new(link.Key, -order),
            })],
            Relationships = [new(manager.Name, "Parent")],
        });
    }

    /// <summary>In the dashboard, the manager's name has a suffix.</summary>
    private string ParentId => notifications.TryGetCurrentState(manager.Name, out var found) ? found.ResourceId : manager.Name;
}

/// <summary>Updates the list every two seconds while the AppHost runs.</summary>
internal sealed class BotResourcePoller(ManagerApi api, BotResources bots, BotLogs logs) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(logs.WatchAsync(stoppingToken), PollAsync(stoppingToken));

    private async Task PollAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (!api.HasAddress)
                continue;
            try
            {
                await bots.RefreshAsync(cancellation);
            }
            catch (Exception exception)
                when (exception is HttpRequestException or TaskCanceledException or JsonException && !cancellation.IsCancellationRequested)
            {
                // The dashboard shows that the manager is unhealthy. Its bots keep their last known state.
            }
        }
    }
}
