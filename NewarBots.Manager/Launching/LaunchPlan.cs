using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>Decides which waiting bots get a container next, in the order in which they were due, up to the capacity.</summary>
internal static class LaunchPlan
{
    /// <param name="candidates">All bots that have left the queue and not ended, and the first bots in the queue, up to the capacity.</param>
    /// <param name="capacity">Maximum number of bots that have a container.</param>
    public static IReadOnlyList<Bot> Next(IEnumerable<Bot> candidates, int capacity)
    {
        var bots = candidates.OrderBy(bot => bot.DueAt).ThenBy(bot => bot.Id).ToList();
        // A bot in launch takes a slot, with or without a container. An interrupted launch continues first.
        var launching = bots.Where(bot => bot is { Status: BotStatus.Launching, AwaitsContainer: true });
        var queued = bots.Where(bot => bot.Status is BotStatus.Queued);
        var taken = bots.Count(bot => bot is { Status: > BotStatus.Queued and < BotStatus.Finalizing, FailedEnd: null });
        return [.. launching, .. queued.Take(Math.Max(0, capacity - taken))];
    }
}
